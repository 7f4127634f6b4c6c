/** Serves HTTP requests by their routes: one span, one log line, one measurement and one answer for each. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SpanStatusCode } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Metrics } from '#fabric/telemetry/metrics.ts';
import { activeTraceId, withHttpServerSpan } from '#fabric/telemetry/tracing.ts';
import { emptyAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Cors } from './cors.ts';
import type { Endpoint, Exchange } from './endpoint.ts';
import { errorAnswer } from './errors.ts';
import { failureOf } from './failure.ts';
import { requestIdOf } from './headers.ts';
import { clientGone, expectationFailed, invalidHeader, invalidTarget, methodNotAllowed } from './refusals.ts';
import { routeNotFound, shuttingDown } from './refusals.ts';
import type { Router } from './router.ts';
import { parseTarget } from './target.ts';

/** What the gateway stands on. */
export type GatewayOptions = {
  router: Router<Endpoint>;
  cors: Cors;
  log: Logger;
  metrics: Metrics;
};

/** A gateway that serves. */
export type Gateway = {
  /** Never rejects. */
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Ends the streams that are open, and asks clients to connect anew. */
  drain: () => void;
};

const EVERY_METHOD = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
/** Asks not to be traced (openzipkin/b3-propagation, "deny"). */
const UNTRACED = { b3: '0' };
/** One name for all requests without a route, so that callers cannot make series. */
const UNROUTED = 'unrouted';
/** On every answer; an endpoint may say it otherwise. */
const SECURITY: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-site',
};

/** A gateway over these routes. */
export function createGateway(options: GatewayOptions): Gateway {
  const ending = new AbortController();
  const serve = (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const left = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) left.abort(clientGone());
    });
    if (ending.signal.aborted) response.setHeader('connection', 'close');
    const { endpoint, segments, query, allow } = locate(options.router, request);
    const requestId = requestIdOf(request);
    const exchange = {
      request,
      response,
      segments,
      query,
      requestId,
      signal: left.signal,
      ending: ending.signal,
    };
    const { method = '' } = request;
    const headers = endpoint.quiet === true ? UNTRACED : request.headers;
    return withHttpServerSpan({ method, route: endpoint.route, headers }, (span) => {
      setHeaders(response, { ...commonHeaders(requestId), ...options.cors(request, allow) });
      return observed(exchange, { ...options, endpoint, span });
    });
  };
  return { serve, drain: () => ending.abort(shuttingDown()) };
}

/** Headers of every answer: what the request is called in logs and traces, and what browsers may do with it. */
export function commonHeaders(requestId: string): Record<string, string> {
  return { ...SECURITY, 'x-request-id': requestId, 'x-trace-id': activeTraceId() ?? '' };
}

type Located = Pick<Exchange, 'segments' | 'query'> & { endpoint: Endpoint; allow: readonly string[] };

/** Requests that have no route are served too: by an endpoint that says why. */
function locate(router: Router<Endpoint>, request: IncomingMessage): Located {
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

type Served = GatewayOptions & { endpoint: Endpoint; span: Span };

async function observed(exchange: Exchange, served: Served): Promise<void> {
  const { request } = exchange;
  const started = performance.now();
  try {
    const answer = await served.endpoint.serve(exchange);
    if (answer !== undefined) send(exchange, answer);
  } catch (error) {
    logDefect(served, error);
    send(exchange, errorAnswer(error, request.headers.accept));
  }
  record(exchange, served, { status: statusOf(exchange), seconds: (performance.now() - started) / 1_000 });
}

function send({ request, response, signal }: Exchange, { status, headers, body }: Answer): void {
  if (signal.aborted || response.headersSent) {
    response.destroy();
    return;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const bodiless = status === 204 || status === 304;
  response.writeHead(status, bodiless ? headers : { ...headers, 'content-length': bytes.length });
  response.end(bodiless || request.method === 'HEAD' ? undefined : bytes);
}

/** 499 when nobody waited for the answer. */
function statusOf({ response, signal }: Exchange): number {
  return signal.aborted ? 499 : response.statusCode;
}

/** Never the target itself: a query may hold what no log should. */
function record(
  { request: { method = '' }, requestId }: Exchange,
  { endpoint: { route, quiet }, log, metrics, span }: Served,
  { status, seconds }: { status: number; seconds: number },
): void {
  span.setAttribute('http.response.status_code', status);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  metrics.http.served({ method, route, status, seconds });
  if (quiet === true) return;
  const duration = Math.round(seconds * 1_000_000) / 1_000;
  log.info({ event: 'http_request', method, route, status, duration, requestId }, 'request served');
}

/** The client receives a general sentence; what happened is told here. */
function logDefect({ log, endpoint: { route } }: Served, error: unknown): void {
  const { code, reason } = failureOf(error);
  if (reason !== 'INTERNAL') return;
  log.error({ event: 'http_request_failed', route, code, err: error }, 'a request failed');
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
