/** Finds what a request leads to, or why it leads nowhere. */
import type { IncomingMessage } from 'node:http';
import { emptyAnswer } from './answer.ts';
import type { Endpoint, Exchange } from './endpoint.ts';
import {
  expectationFailed,
  invalidHeader,
  invalidTarget,
  methodNotAllowed,
  routeNotFound,
} from './refusals.ts';
import type { Router } from './router.ts';
import { parseTarget } from './target.ts';

/** Where a request leads; `allow` holds the methods of the path when it is an OPTIONS. */
export type Located = Pick<Exchange, 'segments' | 'query'> & { endpoint: Endpoint; allow: readonly string[] };

/** What some route or other takes. */
export const EVERY_METHOD = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
/** One name for all requests without a route, so that callers cannot make series. */
const UNROUTED = 'unrouted';

/** Finds the endpoint of a request. One that has no route is served too: by an endpoint that says why. */
export function locate(router: Router<Endpoint>, request: IncomingMessage): Located {
  const { method = '', url = '' } = request;
  try {
    checkMessage(request);
    if (method === 'OPTIONS' && url === '*') return located(optionsEndpoint(EVERY_METHOD), EVERY_METHOD);
    const { path, query } = parseTarget(url);
    const match = router.find(method, path);
    if (match.kind === 'none') throw routeNotFound();
    if (match.kind === 'found') return { endpoint: match.target, segments: match.segments, query, allow: [] };
    if (method === 'OPTIONS') return located(optionsEndpoint(match.allow), match.allow);
    throw methodNotAllowed(method, match.allow);
  } catch (error) {
    return located(refusal(error instanceof URIError ? invalidTarget('its path is not UTF-8') : error));
  }
}

/** What node:http leaves to its user: exactly one Host in HTTP/1.1 (RFC 9112, section 3.2), no unknown expectation. */
function checkMessage({ headers, headersDistinct, httpVersion }: IncomingMessage): void {
  const hosts = headersDistinct['host']?.length ?? 0;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1'))
    throw invalidHeader('Host', 'must be given exactly once');
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    throw expectationFailed();
}

function located(endpoint: Endpoint, allow: readonly string[] = []): Located {
  return { endpoint, segments: [], query: '', allow };
}

function optionsEndpoint(allow: readonly string[]): Endpoint {
  const answer = emptyAnswer(204, { allow: allow.join(', '), 'cache-control': 'no-store' });
  return { route: UNROUTED, serve: () => Promise.resolve(answer) };
}

function refusal(error: unknown): Endpoint {
  return { route: UNROUTED, serve: () => Promise.reject(error) };
}
