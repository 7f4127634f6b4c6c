/** Reads the body of a request, within its limits. */
import type { IncomingMessage } from 'node:http';
import type { Exchange } from './endpoint.ts';
import { bodyTooLarge, clientGone, unsupportedEncoding, unsupportedMediaType } from './refusals.ts';

/** The largest body, in bytes. */
export const LARGEST_BODY = 256 * 1024;

const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/iu;

/**
 * Reads a body of at most 256 KiB; empty when there is none. Refuses before reading what can be told from the
 * headers: 413, and 415 for a Content-Encoding or a type other than JSON (`raw` routes take any type).
 */
export async function readBody(
  { request, response, signal }: Exchange,
  { raw }: { raw: boolean },
): Promise<Uint8Array> {
  const { headers } = request;
  if (headers['content-encoding'] !== undefined) throw unsupportedEncoding();
  if (!hasBody(request)) return new Uint8Array();
  if (Number(headers['content-length'] ?? 0) > LARGEST_BODY) throw bodyTooLarge(LARGEST_BODY);
  if (!raw && !JSON_TYPE.test(headers['content-type'] ?? '')) throw unsupportedMediaType('application/json');
  if (headers.expect !== undefined) response.writeContinue();
  return collect(request, signal);
}

/** A message has a body when it says so (RFC 9112, section 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function collect(request: IncomingMessage, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      request.off('data', add).off('end', finish).off('error', fail).off('close', fail);
      signal.removeEventListener('abort', fail);
    };
    const add = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= LARGEST_BODY) chunks.push(chunk);
      else {
        stop();
        // What still comes is read and dropped, so that the client can finish and see the answer.
        request.resume();
        reject(bodyTooLarge(LARGEST_BODY));
      }
    };
    const finish = (): void => {
      stop();
      resolve(Buffer.concat(chunks));
    };
    const fail = (): void => {
      stop();
      reject(clientGone());
    };
    request.on('data', add).once('end', finish).once('error', fail).once('close', fail);
    signal.addEventListener('abort', fail, { once: true });
  });
}
