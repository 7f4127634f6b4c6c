/** A refusal that leaves a stand-in as an HTTP answer. */

/** Answered as `{"code", "message"}`, where `code` is lower_snake and stays the same for ever. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, options: { message: string; headers?: Record<string, string> }) {
    super(options.message);
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
  }
}
