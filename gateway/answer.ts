/** A whole HTTP answer, before it is sent. */

/** Status, headers by lower-case name, and body. */
export type Answer = {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
};

/** An answer without body. */
export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: '' };
}
