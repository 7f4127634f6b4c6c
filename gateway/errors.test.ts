/** Refusals as clients see them: access, reasons, shapes, paths and methods that are not there. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ORDER, behaviour } from './behaviour.fixture.ts';
import type { Seen } from './behaviour.fixture.ts';
import { errorOf, reasonOf, send } from './client.fixture.ts';
import type { Received } from './client.fixture.ts';
import { openShop } from './gateway.fixture.ts';
import type { Shop } from './gateway.fixture.ts';

let shop: Shop;
const seen: Seen = { aborted: 0 };
before(async () => {
  shop = await openShop(behaviour(seen));
});
after(() => shop[Symbol.asyncDispose]());

test('who may not call is told so: 401 without a good token, 403 with the wrong one', async () => {
  const body = { displayName: 'x' };
  const none = await send(shop, 'POST /v1/products', { body });
  assert.deepEqual([none.status, reasonOf(none)], [401, 'TOKEN_MISSING']);
  assert.equal(none.headers.get('www-authenticate'), 'Bearer realm="mercer"');
  const customer = await send(shop, 'POST /v1/products', { body, token: shop.token('CUSTOMER') });
  assert.deepEqual([customer.status, reasonOf(customer)], [403, 'ACCESS_DENIED']);
  const admin = await send(shop, 'POST /v1/products', {
    body: { displayName: 'x', price: { minorUnits: 1, currencyCode: 'USD' } },
    token: shop.token('ADMIN'),
  });
  assert.equal(admin.status, 201, admin.text);
  const expired = shop.token('ADMIN', { exp: 1_000 });
  for (const [token, reason] of [
    ['x', 'TOKEN_INVALID'],
    [`${shop.token('ADMIN')}x`, 'TOKEN_INVALID'],
    [expired, 'TOKEN_EXPIRED'],
  ] as const) {
    const bad = await send(shop, 'GET /v1/products/phone', { token });
    assert.deepEqual([bad.status, reasonOf(bad)], [401, reason]);
    assert.match(bad.headers.get('www-authenticate') ?? '', /^Bearer realm="mercer", error="invalid_token"/u);
  }
  const basic = await send(shop, 'GET /v1/products/phone', { headers: { authorization: 'Basic YTpi' } });
  assert.equal(basic.status, 401);
});

test('who may not call learns nothing of what a body should be', async () => {
  const body = '{"bogus';
  assert.equal((await send(shop, 'POST /v1/products', { body })).status, 401);
  const token = shop.token('CUSTOMER');
  assert.equal((await send(shop, 'POST /v1/products', { body, token })).status, 403);
  assert.equal((await send(shop, 'POST /v1/products', { body, token: shop.token('ADMIN') })).status, 400);
});

test("the user's token and the request id go on, nothing else does", async () => {
  const token = shop.token('CUSTOMER');
  const headers = {
    'x-request-id': 'r-1',
    'grpc-metadata-x': 'forged',
    'x-forwarded-user': 'root',
    'mercer-signature': 't=1',
  };
  const answer = await send(shop, 'GET /v1/products/phone', { token, headers });
  assert.equal(seen.call?.user?.subject, 'alice');
  assert.equal(seen.call?.caller, 'svc/gateway');
  assert.equal(seen.call?.requestId, 'r-1');
  const crossed = Object.keys(shop.received()?.getMap() ?? {}).sort();
  assert.deepEqual(crossed, ['authorization', 'b3', 'user-agent', 'x-request-id']);
  assert.equal(answer.headers.get('x-request-id'), 'r-1');
  assert.match(answer.headers.get('x-trace-id') ?? '', /^[0-9a-f]{32}$/u);
  const strange = await send(shop, 'GET /v1/products/phone', { headers: { 'x-request-id': 'a b' } });
  assert.match(strange.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/u);
});

test('a trace goes on where the client began it, through to the service', async () => {
  const traceId = '80f198ee56343ba864fe8b2a57d3eff7';
  const b3 = `${traceId}-05e3ac9a4f6e3b90-1`;
  const answer = await send(shop, 'GET /v1/products/phone', { headers: { b3 } });
  assert.equal(answer.headers.get('x-trace-id'), traceId);
  assert.equal(seen.traceId, traceId);
});

test('reasons choose the status', async () => {
  const token = shop.token('CUSTOMER');
  const placed = (paymentToken: string): Promise<Received> =>
    send(shop, 'POST /v1/orders', { token, body: { ...ORDER, paymentToken } });
  assert.equal((await placed('tok_declined')).status, 402);
  assert.equal((await placed('tok_reused')).status, 422);
  const missing = await send(shop, 'GET /v1/products/none');
  assert.equal(missing.status, 404);
  assert.deepEqual(errorOf(missing), {
    code: 404,
    status: 'NOT_FOUND',
    message: 'no such product',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'PRODUCT_NOT_FOUND',
        domain: 'mercer',
        metadata: { product_id: 'none' },
      },
    ],
  });
  const busy = await send(shop, 'GET /v1/products/busy');
  assert.deepEqual([busy.status, busy.headers.get('retry-after')], [503, '8']);
  const unimplemented = await send(shop, 'GET /v1/products:batchGet?productIds=a');
  assert.equal(unimplemented.status, 501);
});

test('a service names fields as the JSON of the request does', async () => {
  const answer = await send(shop, 'POST /v1/orders', {
    token: shop.token('CUSTOMER'),
    body: { ...ORDER, paymentToken: 'tok_field' },
  });
  assert.equal(answer.status, 400);
  assert.equal(errorOf(answer).message, 'lines[0].productId: is wrong');
  const [info, badRequest] = errorOf(answer).details;
  assert.deepEqual(info?.['metadata'], { field: 'lines[0].productId' });
  assert.match(JSON.stringify(badRequest), /"field":"lines\[0\]\.productId"/u);
  const problem = await send(shop, 'POST /v1/orders', {
    token: shop.token('CUSTOMER'),
    body: { ...ORDER, paymentToken: 'tok_field' },
    headers: { accept: 'application/problem+json' },
  });
  assert.ok(!problem.text.includes('product_id'), problem.text);
});

test('a defect tells nothing of itself, but the log does', async () => {
  for (const productId of ['broken', 'broken-loudly']) {
    const answer = await send(shop, `GET /v1/products/${productId}`);
    assert.equal(answer.status, 500);
    assert.equal(errorOf(answer).message, 'something went wrong on our side');
    assert.equal(reasonOf(answer), 'INTERNAL');
    assert.ok(!answer.text.includes('hunter2'));
  }
  assert.ok(shop.lines.some(({ event: name }) => name === 'http_request_failed'));
});

test('problem+json comes to who asks for it', async () => {
  const headers = { accept: 'application/problem+json, application/json' };
  const answer = await send(shop, 'GET /v1/products/none', { headers });
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const { type, title, status: code, detail } = JSON.parse(answer.text) as Record<string, unknown>;
  assert.deepEqual(
    [type, title, code, detail],
    ['urn:mercer:error:PRODUCT_NOT_FOUND', 'Not Found', 404, 'no such product'],
  );
});

test('paths and methods that are not there: 404, and 405 with what is', async () => {
  for (const line of [
    'GET /',
    'GET /v1',
    'GET /v1/products/',
    'GET /V1/products',
    'OPTIONS /nothing',
    'POST /nothing',
  ]) {
    const answer = await send(shop, line);
    assert.deepEqual([answer.status, reasonOf(answer)], [404, 'ROUTE_NOT_FOUND'], line);
  }
  const allowed: [string, string][] = [
    ['PUT /v1/products/phone', 'DELETE, GET, HEAD, OPTIONS, PATCH'],
    ['DELETE /v1/orders', 'GET, HEAD, OPTIONS, POST'],
    ['GET /v1/orders:quote', 'OPTIONS, POST'],
    ['GET /v1/orders/1:cancel', 'OPTIONS, POST'],
    ['POST /healthz', 'GET, HEAD, OPTIONS'],
  ];
  for (const [line, allow] of allowed) {
    const answer = await send(shop, line);
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, allow], line);
    assert.equal(reasonOf(answer), 'METHOD_NOT_ALLOWED');
  }
  const options = await send(shop, 'OPTIONS /v1/products/phone');
  assert.deepEqual(
    [options.status, options.headers.get('allow')],
    [204, 'DELETE, GET, HEAD, OPTIONS, PATCH'],
  );
});

test('the methods that only services call are not routed', async () => {
  const token = shop.token('ADMIN');
  for (const line of [
    'POST /mercer.product.v1.ProductService/ReserveStock',
    'POST /v1/products:reserveStock',
  ])
    assert.notEqual((await send(shop, line, { token, body: {} })).status, 200);
});

test('method override is not heard', async () => {
  const headers = { 'x-http-method-override': 'DELETE' };
  const answer = await send(shop, 'POST /v1/products/phone', { token: shop.token('ADMIN'), headers });
  assert.equal(answer.status, 405);
});

test('a service that is gone is 503 and tells no address', async () => {
  await shop.stop('payment');
  const answer = await send(shop, 'GET /v1/payments', { token: shop.token('CUSTOMER') });
  assert.deepEqual([answer.status, reasonOf(answer)], [503, 'UPSTREAM_UNAVAILABLE']);
  assert.equal(answer.headers.get('retry-after'), '1');
  assert.ok(!answer.text.includes('127.0.0.1'));
  // Nothing was sent, so nothing can have been done.
  assert.doesNotMatch(errorOf(answer).message, /not known/u);
  const dropped = await send(shop, 'GET /v1/products/down');
  assert.match(errorOf(dropped).message, /whether it did its work is not known/u);
});
