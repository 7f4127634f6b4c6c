/** The public HTTP/1.1 port, with the limits that keep bad clients from harming good ones. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { withHttpServerSpan } from '#fabric/telemetry/tracing.ts';
import { commonHeaders } from './common-headers.ts';
import { errorAnswer } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { EVERY_METHOD } from './locate.ts';
import {
  headersTooLarge,
  malformedRequest,
  methodNotAllowed,
  requestTimeout,
  targetTooLong,
} from './refusals.ts';
import { LONGEST_TARGET } from './target.ts';

/** The largest block of headers, the request line included, in bytes. */
export const LARGEST_HEADERS = 16 * 1024;
/** A request must have arrived by then: its headers, and all of it; ms. */
const HEADERS_TIMEOUT = 5_000;
const REQUEST_TIMEOUT = 10_000;
/** How long an idle connection is kept, in ms. */
const KEEP_ALIVE = 5_000;
const MOST_CONNECTIONS = 2_048;
const MOST_REQUESTS_PER_CONNECTION = 1_000;
/** How long a connection may take to read its last answer, in ms. */
const LAST_WORD = 1_000;

/** A listening gateway. */
export type HttpServer = {
  port: number;
  /** Takes no new connections, ends streams and waits for open requests, at most `timeout` ms. */
  drain: (timeout: number) => Promise<void>;
};

/** Starts to listen; rejects when the port is taken. Port 0 takes a free one; `requestTimeout` is in ms. */
export async function startHttpServer(
  gateway: Gateway,
  { bind, port, requestTimeout = REQUEST_TIMEOUT }: { bind: string; port: number; requestTimeout?: number },
): Promise<HttpServer> {
  /** The answer that each connection waits for. */
  const pending = new WeakMap<Socket, ServerResponse>();
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    pending.set(request.socket, response);
    response.once('close', () => {
      if (pending.get(request.socket) === response) pending.delete(request.socket);
      // A stream whose headers promised more leaves a connection that nobody needs while draining.
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
    void gateway.serve(request, response);
  };
  const server = createServer({
    maxHeaderSize: LARGEST_HEADERS,
    headersTimeout: Math.min(HEADERS_TIMEOUT, requestTimeout),
    requestTimeout,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: KEEP_ALIVE,
    // Answered by the gateway itself, in its own shape.
    requireHostHeader: false,
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.maxRequestsPerSocket = MOST_REQUESTS_PER_CONNECTION;
  server.on('request', serve).on('checkContinue', serve).on('checkExpectation', serve);
  server.on('clientError', (error: BrokenRequest, socket) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else refuseConnection(refusalOf(error), socket as Socket, pending);
  });
  server.on('connect', (_, socket) => refuseConnect(socket as Socket, pending));
  await listen(server, { bind, port });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gateway has no port');
  return { port: address.port, drain: (timeout) => drain(server, gateway, timeout) };
}

function listen(server: Server, { bind, port }: { bind: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, bind, resolve);
  });
}

function drain(server: Server, gateway: Gateway, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), timeout);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    gateway.drain();
    server.closeIdleConnections();
  });
}

/** What cannot be read as a request gets an error of the one shape, after the answers that are still due. */
function refuseConnection(refusal: Error, socket: Socket, pending: WeakMap<Socket, ServerResponse>): void {
  const due = pending.get(socket);
  if (!socket.writable) socket.destroy();
  else if (due?.req.complete === true) due.once('close', () => lastWord(refusal, socket));
  else if (due?.headersSent === true) socket.destroy();
  else lastWord(refusal, socket);
}

/** The gateway is no proxy. node:http lets go of the socket of a CONNECT, which nobody else watches then. */
function refuseConnect(socket: Socket, pending: WeakMap<Socket, ServerResponse>): void {
  socket.on('error', () => socket.destroy()).resume();
  refuseConnection(methodNotAllowed('CONNECT', EVERY_METHOD), socket, pending);
}

function lastWord(refusal: Error, socket: Socket): void {
  void withHttpServerSpan({ method: '-', route: 'malformed', headers: {} }, () => {
    const { status, headers, body } = errorAnswer(refusal, undefined);
    const lines = Object.entries({
      ...commonHeaders(randomUUID()),
      ...headers,
      'content-length': String(Buffer.byteLength(body)),
      date: new Date().toUTCString(),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}`);
    socket.setTimeout(LAST_WORD, () => socket.destroy());
    socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
  });
}

/** What node:http tells of bytes that it cannot read. */
type BrokenRequest = NodeJS.ErrnoException & { rawPacket?: Buffer };

function refusalOf({ code, rawPacket }: BrokenRequest): Error {
  if (code === 'HPE_HEADER_OVERFLOW')
    return isRequestLine(rawPacket) ? targetTooLong(LONGEST_TARGET) : headersTooLarge(LARGEST_HEADERS);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return requestTimeout();
  return malformedRequest();
}

/**
 * Whether bytes begin a request and do not come to the end of its first line within the limit. The parser gives
 * only the last bytes that it read: a line that came in several pieces is not told from a header.
 */
function isRequestLine(bytes: Buffer = Buffer.alloc(0)): boolean {
  return /^[A-Z-]+ [^\n]*$/u.test(bytes.toString('latin1', 0, LARGEST_HEADERS));
}
