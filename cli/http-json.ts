/** JSON over HTTP, on any port: fetch refuses a list of them, which an --offset may hit. */
import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { json } from 'node:stream/consumers';
import { CommandError } from './command-error.ts';

/** A request; with a body it is a POST. */
export type HttpJsonRequest = { headers?: Record<string, string>; body?: unknown; timeout: number };

/** The answer, whatever its status; `body` is undefined when it is not JSON. */
export type HttpJsonAnswer = { status: number; headers: IncomingMessage['headers']; body: unknown };

/** Rejects with a CommandError that names the address when nobody answers within `timeout` ms. */
export async function httpJson(url: string, options: HttpJsonRequest): Promise<HttpJsonAnswer> {
  try {
    const response = await send(new URL(url), options);
    const body: unknown = await json(response).catch(() => undefined);
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new CommandError(`${new URL(url).origin} does not answer (${why})`, { cause });
  }
}

function send(url: URL, { headers = {}, body, timeout }: HttpJsonRequest): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const options = {
    method: body === undefined ? 'GET' : 'POST',
    headers: { accept: 'application/json', ...type, ...headers },
    agent: false,
    signal: AbortSignal.timeout(timeout),
  } as const;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, resolve).once('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
