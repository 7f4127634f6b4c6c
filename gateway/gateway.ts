/** Serves HTTP requests by their routes: one span, one log line, one measurement and one answer for each. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SpanStatusCode } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Metrics } from '#fabric/telemetry/metrics.ts';
import { withHttpServerSpan } from '#fabric/telemetry/tracing.ts';
import type { Answer } from './answer.ts';
import { commonHeaders } from './common-headers.ts';
import type { Cors } from './cors.ts';
import type { Endpoint, Exchange } from './endpoint.ts';
import { errorAnswer } from './errors.ts';
import { failureOf } from './failure.ts';
import { requestIdOf } from './headers.ts';
import { locate } from './locate.ts';
import { clientGone, shuttingDown } from './refusals.ts';
import type { Router } from './router.ts';

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

/** Asks not to be traced (openzipkin/b3-propagation, "deny"). */
const UNTRACED = { b3: '0' };

/** A gateway over these routes. */
export function createGateway(options: GatewayOptions): Gateway {
  const ending = new AbortController();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (ending.signal.aborted) response.setHeader('connection', 'close');
    try {
      await serveTraced(options, request, { response, ending: ending.signal });
    } catch (error) {
      options.log.error({ event: 'http_answer_failed', err: error }, 'an answer could not be sent');
      response.destroy();
    }
  };
  return { serve, drain: () => ending.abort(shuttingDown()) };
}

async function serveTraced(
  options: GatewayOptions,
  request: IncomingMessage,
  { response, ending }: Pick<Exchange, 'response' | 'ending'>,
): Promise<void> {
  const { endpoint, segments, query, allow } = locate(options.router, request);
  const requestId = requestIdOf(request);
  const exchange = { request, response, segments, query, requestId, signal: clientSignal(response), ending };
  const { method = '' } = request;
  const headers = endpoint.quiet === true ? UNTRACED : request.headers;
  await withHttpServerSpan({ method, route: endpoint.route, headers }, (span) => {
    setHeaders(response, { ...commonHeaders(requestId), ...options.cors(request, allow) });
    return observed(exchange, { ...options, endpoint, span });
  });
}

/** Aborts when the connection closes before the answer was written. */
function clientSignal(response: ServerResponse): AbortSignal {
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(clientGone());
  });
  return left.signal;
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

function send({ request, response, signal, ending }: Exchange, { status, headers, body }: Answer): void {
  if (signal.aborted || response.headersSent) {
    response.destroy();
    return;
  }
  // Kept open, an idle connection would hold up the end.
  if (ending.aborted) response.setHeader('connection', 'close');
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
