/** An HTTP/1.1 server with limits, for stand-ins. */
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { HttpError } from './http-error.ts';
import { router } from './router.ts';
import type { HttpAnswer, Match, Router, Routes } from './router.ts';

/** What it serves. */
export type Site = {
  routes: Routes;
  /** Serves every path that no route has, with the request unread; 404 by default. */
  otherwise?: RequestListener;
  /** Bytes; 64 KiB by default. */
  largestBody?: number;
};

/** A server that listens. */
export type WebServer = {
  port: number;
  /** Serves a site from now on; until then every request is answered 503. */
  serve: (site: Site) => void;
  /** Lets open requests finish for at most a second and cuts off the rest. */
  close: () => Promise<void>;
};

/** Told of errors that are not the client's. */
export type OnError = (error: unknown) => void;

/** Told of every request that was answered; `route` is "none" when it matched none of the routes. */
export type OnServed = (request: { method: string; route: string; status: number }) => void;

type Observers = { onError: OnError; onServed: OnServed };

type ServedSite = { find: Router; otherwise: RequestListener | undefined; largestBody: number };

const LARGEST_BODY = 64 * 1024;
const LONGEST_HEADER = 5_000;
const LONGEST_REQUEST = 15_000;
/** Longer than clients keep idle connections, so that it is they who close. */
const LONGEST_IDLE = 65_000;
const LONGEST_FAREWELL = 1_000;

/** Listens; rejects when the port is taken. */
export async function startWebServer(
  { bind, port }: { bind: string; port: number },
  observers: Observers,
): Promise<WebServer> {
  let site: ServedSite | undefined;
  const end = new AbortController();
  const server = createServer(
    {
      headersTimeout: LONGEST_HEADER,
      requestTimeout: LONGEST_REQUEST,
      keepAliveTimeout: LONGEST_IDLE,
      maxHeaderSize: 16_384,
    },
    (request, response) => {
      response.on('error', () => undefined);
      void respond({ request, response, site, end: end.signal, ...observers });
    },
  );
  await listen(server, { bind, port });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    port: address.port,
    serve: ({ routes, otherwise, largestBody = LARGEST_BODY }) => {
      site = { find: router(routes), otherwise, largestBody };
    },
    close: () => close(server, end),
  };
}

function listen(server: Server, { bind, port }: { bind: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, bind, resolve);
  });
}

function close(server: Server, end: AbortController): Promise<void> {
  return new Promise((resolve) => {
    end.abort();
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), LONGEST_FAREWELL);
  });
}

type Exchange = Observers & {
  request: IncomingMessage;
  response: ServerResponse;
  site: ServedSite | undefined;
  end: AbortSignal;
};

async function respond(exchange: Exchange): Promise<void> {
  const { request, response, site, end, onError, onServed } = exchange;
  const { method = '' } = request;
  let route = 'none';
  response.once('finish', () => onServed({ method, route, status: response.statusCode }));
  try {
    const { pathname, searchParams } = targetOf(request);
    if (site === undefined) throw new HttpError(503, 'starting', { message: 'not ready yet' });
    const match = site.find(method, pathname);
    route = match?.route ?? route;
    if (match !== undefined) send(exchange, await handle(exchange, match, searchParams));
    else if (site.otherwise !== undefined) site.otherwise(request, response);
    else throw new HttpError(404, 'not_found', { message: 'there is nothing at this path' });
  } catch (error) {
    const cutOff = response.destroyed || end.aborted;
    if (!(error instanceof HttpError) && !cutOff) onError(error);
    send(exchange, cutOff ? 'nothing' : refusal(error));
  }
}

async function handle(
  { request, response, site, end }: Exchange,
  { handler, params }: Match,
  query: URLSearchParams,
): Promise<HttpAnswer | 'nothing'> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return handler({
    params,
    query,
    headers: request.headers,
    remoteAddress: request.socket.remoteAddress ?? '',
    body: await readBody(request, site?.largestBody ?? LARGEST_BODY),
    over: AbortSignal.any([gone.signal, end]),
  });
}

function targetOf(request: IncomingMessage): URL {
  const url = URL.parse(request.url ?? '', 'http://localhost');
  if (url === null)
    throw new HttpError(400, 'target_malformed', { message: 'the request target is no path' });
  return url;
}

async function readBody(request: IncomingMessage, largest: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw new HttpError(413, 'body_too_large', { message: `at most ${largest} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refusal(error: unknown): HttpAnswer {
  const known = error instanceof HttpError ? error : undefined;
  return {
    status: known?.status ?? 500,
    type: 'application/json',
    body: JSON.stringify({
      code: known?.code ?? 'internal',
      message: known?.message ?? 'something failed here',
    }),
    headers: known?.headers ?? {},
  };
}

function send({ request, response }: Exchange, answer: HttpAnswer | 'nothing'): void {
  if (response.headersSent || response.destroyed) return;
  if (answer === 'nothing') {
    response.destroy();
    return;
  }
  const { status, type = 'text/plain; charset=utf-8', body = '', headers } = answer;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What is left of a body that was refused cannot be told from the next request.
    ...(request.complete ? {} : { connection: 'close' }),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
