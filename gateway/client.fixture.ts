/** A client of the gateway for tests: sends one request and reads the whole answer. */
import type { Shop } from './gateway.fixture.ts';

/** What goes along with a request. */
export type Sent = { token?: string; body?: unknown; headers?: Record<string, string> };
/** An answer, read whole. */
export type Received = { status: number; headers: Headers; text: string; body: Record<string, unknown> };

/** Sends one request, "GET /v1/products"; a body that is no text goes as JSON. */
export async function send(
  shop: Shop,
  line: string,
  { token, body, headers = {} }: Sent = {},
): Promise<Received> {
  const [method = '', path = ''] = line.split(' ');
  const response = await fetch(`${shop.url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const json = /^application\/(?:problem\+)?json$/u.test(type) && text !== '';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: json ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

/** The one shape of errors. */
export type ErrorBody = { code: number; status: string; message: string; details: Record<string, unknown>[] };

/** The error that an answer holds. */
export function errorOf({ body }: Pick<Received, 'body'>): ErrorBody {
  return body['error'] as ErrorBody;
}

/** The reason of the error that an answer holds. */
export function reasonOf(answer: Pick<Received, 'body'>): unknown {
  return errorOf(answer).details.find((each) => String(each['@type']).endsWith('ErrorInfo'))?.['reason'];
}
