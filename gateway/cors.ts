/** Lets pages of allowed origins call the API (Fetch standard, "CORS protocol"). */
import type { IncomingMessage } from 'node:http';

/** What a page may send besides the safelisted headers. */
const REQUEST_HEADERS =
  'authorization, content-type, grpc-timeout, idempotency-key, if-match, if-none-match, last-event-id, x-request-id, b3, traceparent';
/** What a page may read besides the safelisted headers. */
const RESPONSE_HEADERS = 'allow, etag, location, retry-after, www-authenticate, x-request-id, x-trace-id';
/** How long a browser may remember a preflight, in s. */
const PREFLIGHT_AGE = '600';

/** Headers to add to an answer. */
export type Cors = (request: IncomingMessage, allow: readonly string[]) => Record<string, string>;

/**
 * CORS for exactly these origins. `allow` holds the methods of the path when the request is an OPTIONS. Tokens
 * travel in a header that pages set themselves, so credentials (cookies) are never allowed.
 */
export function cors(origins: readonly string[]): Cors {
  if (origins.length === 0) return () => ({});
  const known = new Set(origins);
  return (request, allow) => {
    const { origin } = request.headers;
    const vary = { vary: 'Origin' };
    if (origin === undefined || !known.has(origin)) return vary;
    const answer = { ...vary, 'access-control-allow-origin': origin };
    if (request.method !== 'OPTIONS') return { ...answer, 'access-control-expose-headers': RESPONSE_HEADERS };
    return {
      ...answer,
      'access-control-allow-methods': allow.join(', '),
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': PREFLIGHT_AGE,
    };
  };
}
