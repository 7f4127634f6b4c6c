/** Fetches a JSON document from an identity provider that may be slow, huge, cut off or hostile. */

/** Bytes; discovery documents and key sets are a few KiB. */
const LARGEST = 64 * 1024;

/** A document, and for how many seconds its server says that it stays fresh (RFC 9111, max-age). */
export type Fetched = { body: unknown; maxAge: number | undefined };

/** Rejects on redirects, statuses other than 2xx, more than 64 KiB, what is no JSON, and when the signal aborts. */
export async function boundedFetch(url: string, signal: AbortSignal): Promise<Fetched> {
  const response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' }, signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  return { body: JSON.parse(await readText(response)), maxAge: maxAgeOf(response) };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST) throw new Error(`${response.url} answered more than ${LARGEST} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function maxAgeOf(response: Response): number | undefined {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/iu.exec(
    response.headers.get('cache-control') ?? '',
  )?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}
