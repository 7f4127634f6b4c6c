/** A shopper's and a shopkeeper's view of a running fabric: plain HTTP at the gateway. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

/** An HTTP answer, its body read as JSON. */
export type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

/** Sends one request; a token and a body are optional. */
export type Send = (
  method: string,
  path: string,
  options?: { token?: string; body?: unknown; headers?: Record<string, string> },
) => Promise<Answer>;

/** A client of a gateway; each request has 30 s. */
export function shopAt(gateway: string): Send {
  return async (method, path, { token, body, headers = {} } = {}) => {
    const response = await fetch(gateway + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
    };
  };
}

/** Creates a product with some stock and answers its id. */
export async function stockedProduct(send: Send, token: string, stock: number): Promise<string> {
  const body = {
    displayName: 'Test product',
    category: 'phones',
    price: { currencyCode: 'USD', minorUnits: '1999' },
    stockAvailable: stock,
  };
  const created = await send('POST', `/v1/products?product_id=test-${randomUUID()}`, { token, body });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  return String(created.body['productId']);
}

/** What a purchase of one product may vary. */
export type Purchase = { token: string; quantity?: number; paymentToken?: string; key?: string };

/** Orders one product. */
export function order(send: Send, productId: string, purchase: Purchase): Promise<Answer> {
  const { token, quantity = 1, paymentToken = 'tok_visa', key } = purchase;
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return send('POST', '/v1/orders', {
    token,
    body: { lines: [{ productId, quantity }], paymentToken },
    headers,
  });
}

/** Units of a product that can be ordered now. */
export async function available(send: Send, productId: string): Promise<number> {
  const { body } = await send('GET', `/v1/products/${productId}`);
  return Number(body['stockAvailable']);
}

/** The reason and the metadata of an error answer. */
export function errorOf(answer: Answer): {
  status: string;
  reason: string;
  metadata: Record<string, string>;
} {
  const { error } = answer.body as {
    error?: { status: string; details?: { reason?: string; metadata?: Record<string, string> }[] };
  };
  assert.ok(error, `no error in ${JSON.stringify(answer.body)}`);
  const info = error.details?.find((detail) => detail.reason !== undefined);
  return { status: error.status, reason: info?.reason ?? '', metadata: info?.metadata ?? {} };
}
