/** The HTTP port of a process for those who run it: /metrics, /livez and /readyz. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Metrics } from './metrics.ts';

/** Whether a process can serve, and what it looked at. */
export type Readiness = { ok: boolean; checks: Record<string, string> };

/** Where to listen and whom to ask. */
export type AdminServerOptions = {
  /** An address of this machine, "127.0.0.1". */
  bind: string;
  /** 0 takes a free one. */
  port: number;
  metrics: Metrics;
  /** False asks the supervisor to restart this process. */
  live: () => Promise<boolean>;
  ready: () => Promise<Readiness>;
};

/** A running admin server. */
export type AdminServer = { port: number; close: () => Promise<void> };

/** A check that takes longer, in ms, has failed. */
const LONGEST_CHECK = 2_000;
/** A client that has not sent its whole header by then, in ms, is cut off. */
const LONGEST_HEADER = 5_000;

/** Starts listening; fails when the port is taken. /readyz and /livez answer 200 or 503 with `{ok, checks}`. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const pages = pagesOf(options);
  const server = createServer(
    {
      headersTimeout: LONGEST_HEADER,
      requestTimeout: LONGEST_HEADER,
      keepAliveTimeout: LONGEST_HEADER,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
    },
    (request, response) => void answer(pages, request, response),
  );
  await listen(server, options);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the admin server has no port');
  return { port: address.port, close: () => close(server) };
}

function listen(server: Server, { bind, port }: AdminServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, bind, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

type Answer = { status: number; type: string; body: string };

async function answer(
  pages: Map<string, Page>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const page = pages.get(path);
  if (page === undefined) {
    send(request, response, text(404, 'not found'));
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(request, response, text(405, 'method not allowed'));
  } else {
    const answered = await page().catch(() => text(500, 'this page could not be made'));
    send(request, response, answered);
  }
}

type Page = () => Promise<Answer>;

function pagesOf({ metrics, live, ready }: AdminServerOptions): Map<string, Page> {
  return new Map<string, Page>([
    ['/metrics', () => metricsPage(metrics)],
    ['/livez', () => checkPage(async () => ({ ok: await live(), checks: {} }))],
    ['/readyz', () => checkPage(ready)],
  ]);
}

async function metricsPage({ registry }: Metrics): Promise<Answer> {
  return { status: 200, type: registry.contentType, body: await registry.metrics() };
}

async function checkPage(check: () => Promise<Readiness>): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Readiness>();
  const late = { ok: false, checks: { check: `no answer within ${LONGEST_CHECK} ms` } };
  const timer = setTimeout(resolve, LONGEST_CHECK, late);
  const failed = { ok: false, checks: { check: 'failed' } };
  const readiness = await Promise.race([promise, check().catch(() => failed)]);
  clearTimeout(timer);
  return {
    status: readiness.ok ? 200 : 503,
    type: 'application/json',
    body: JSON.stringify(readiness),
  };
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
