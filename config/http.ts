/** Serves Spring Cloud Config's interface over HTTP: GET /{application}/{profile}[/{label}]. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { status } from '@grpc/grpc-js';
import { StatusError, toStatusError } from '#fabric/rpc/status-error.ts';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Configuration, ConfigurationName } from './configuration.ts';
import { environmentJson, nameFromPath, WITH_ORIGIN } from './spring.ts';

/** Where to listen, and what to answer with. */
export type ConfigHttpOptions = {
  /** An address of this machine; the interface asks for no credential, so a loopback or private one. */
  bind: string;
  /** 0 takes a free one. */
  port: number;
  read: (name: ConfigurationName) => Promise<Configuration>;
  /** URL of the repository, which files are named after. */
  repository: string;
  log: Logger;
};

/** A running server. */
export type ConfigHttp = { port: number; close(): Promise<void> };

const MAX_TARGET = 2_048;
/** A client that has not sent its whole request by then, in ms, is cut off. */
const LONGEST_REQUEST = 5_000;

/** The failures that a reader can meet; any other is 500. */
const HTTP_STATUS = new Map([
  [status.INVALID_ARGUMENT, 400],
  [status.NOT_FOUND, 404],
  [status.UNIMPLEMENTED, 405],
  [status.UNAVAILABLE, 503],
]);

/** Starts listening; fails when the port is taken. */
export async function startConfigHttp(options: ConfigHttpOptions): Promise<ConfigHttp> {
  const limits = { headersTimeout: LONGEST_REQUEST, requestTimeout: LONGEST_REQUEST, maxHeaderSize: 8_192 };
  const server = createServer(limits, (request, response) => void answer(options, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.bind, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the HTTP server has no port');
  return { port: address.port, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  options: ConfigHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const configuration = await options.read(nameOf(request));
    const origins = request.headers.accept?.includes(WITH_ORIGIN) === true;
    const body = environmentJson(configuration, { repository: options.repository, origins });
    send(response, { code: 200, type: origins ? WITH_ORIGIN : 'application/json', body });
  } catch (error) {
    const failure = toStatusError(error);
    const code = HTTP_STATUS.get(failure.code) ?? 500;
    if (code === 500) options.log.error({ event: 'config_http_failed', err: error }, 'request failed');
    if (code === 405) response.setHeader('allow', 'GET, HEAD');
    if (code === 503) response.setHeader('retry-after', '1');
    send(response, { code, type: 'application/json', body: errorJson(failure, code) });
  }
}

function nameOf({ method, url = '' }: IncomingMessage): ConfigurationName {
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
  if (url.length > MAX_TARGET) throw targetTooLong();
  const [path = ''] = url.split('?', 1);
  return nameFromPath(path);
}

function send(
  response: ServerResponse,
  { code, type, body }: { code: number; type: string; body: object },
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(code, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  response.end(bytes);
}

/** The error shape of all of Mercer's HTTP (google.rpc.Status with an ErrorInfo, AIP-193). */
function errorJson({ code, message, reason = 'INTERNAL', metadata }: StatusError, http: number): object {
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'mercer', metadata };
  const shown = http === 500 ? 'internal error' : message;
  return { error: { code: http, status: status[code], message: shown, details: [info] } };
}

function methodNotAllowed(): StatusError {
  return new StatusError(status.UNIMPLEMENTED, 'only GET is answered', { reason: 'METHOD_NOT_ALLOWED' });
}

function targetTooLong(): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `the target is longer than ${MAX_TARGET} characters`, {
    reason: 'TARGET_TOO_LONG',
  });
}
