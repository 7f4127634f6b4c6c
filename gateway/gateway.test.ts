/** The gateway as its clients see it: resources, conditions, keys, time limits, origins, pictures, logs. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ORDER, behaviour } from './behaviour.fixture.ts';
import type { Seen } from './behaviour.fixture.ts';
import { reasonOf, send } from './client.fixture.ts';
import type { Received } from './client.fixture.ts';
import { ORIGIN, openShop } from './gateway.fixture.ts';
import type { Shop } from './gateway.fixture.ts';

let shop: Shop;
const seen: Seen = { aborted: 0 };
before(async () => {
  shop = await openShop(behaviour(seen));
});
after(() => shop[Symbol.asyncDispose]());

test('a resource is itself, exact and whole, with its etag', async () => {
  const { status: code, headers, body } = await send(shop, 'GET /v1/products/phone');
  assert.equal(code, 200);
  assert.equal(headers.get('content-type'), 'application/json');
  assert.equal(headers.get('etag'), '"1-3"');
  assert.equal(headers.get('cache-control'), 'public, max-age=5');
  assert.deepEqual(body['price'], { currencyCode: 'USD', minorUnits: '9007199254740993' });
  assert.deepEqual(body['attributes'], {});
  assert.equal(body['state'], 'STATE_UNSPECIFIED');
  assert.ok(!('createTime' in body));
});

test('a resource that the client already has is not sent again', async () => {
  for (const tag of ['"1-3"', 'W/"1-3"', '"0-0", "1-3"', '*']) {
    const answer = await send(shop, 'GET /v1/products/phone', { headers: { 'if-none-match': tag } });
    assert.equal(answer.status, 304, tag);
    assert.equal(answer.text, '');
    assert.equal(answer.headers.get('etag'), '"1-3"');
  }
  const other = await send(shop, 'GET /v1/products/phone', { headers: { 'if-none-match': '"1-4"' } });
  assert.equal(other.status, 200);
  const changed = await send(shop, 'PATCH /v1/products/phone', {
    token: shop.token('ADMIN'),
    body: { displayName: 'New', etag: '1-3' },
    headers: { 'if-none-match': '"1-3"' },
  });
  assert.deepEqual([changed.status, changed.headers.get('etag')], [200, '"1-3"']);
});

test('HEAD is GET without its body', async () => {
  const get = await send(shop, 'GET /v1/products/phone');
  const head = await send(shop, 'HEAD /v1/products/phone');
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
  assert.equal(head.headers.get('content-length'), get.headers.get('content-length'));
  assert.equal(head.headers.get('etag'), '"1-3"');
});

test('what is made is 201 with its place, what is pending 202', async () => {
  const token = shop.token('CUSTOMER');
  const made = await send(shop, 'POST /v1/orders', { token, body: ORDER });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.get('location'), '/v1/orders/o%201');
  assert.equal(made.headers.get('cache-control'), 'no-store');
  const pending = await send(shop, 'POST /v1/orders', {
    token,
    body: { ...ORDER, paymentToken: 'tok_async' },
  });
  assert.equal(pending.status, 202);
  assert.equal(pending.headers.get('location'), '/v1/orders/o%201');
});

test('a write may take longer than a read', async () => {
  const body = { ...ORDER, paymentToken: 'tok_slow' };
  const slow = await send(shop, 'POST /v1/orders', { token: shop.token('CUSTOMER'), body });
  assert.equal(slow.status, 201);
  const late = await send(shop, 'GET /v1/products/hangs');
  assert.equal(late.status, 504);
  assert.equal(reasonOf(late), 'DEADLINE_EXCEEDED');
});

test('a client may ask for less time', async () => {
  const started = performance.now();
  const answer = await send(shop, 'GET /v1/products/hangs', { headers: { 'grpc-timeout': '200m' } });
  assert.equal(answer.status, 504);
  assert.ok(performance.now() - started < 1_500);
  for (const wrong of ['5', '200x', '123456789m', '-1S', ''])
    assert.equal(
      (await send(shop, 'GET /v1/products/phone', { headers: { 'grpc-timeout': wrong } })).status,
      400,
      wrong,
    );
});

test('an empty list is there', async () => {
  const answer = await send(shop, 'GET /v1/products?page_size=5&inStock=false&query=a+b');
  assert.deepEqual(answer.body, { products: [], nextPageToken: '' });
  assert.deepEqual([seen.listed?.pageSize, seen.listed?.inStock, seen.listed?.query], [5, false, 'a b']);
});

test('the key of a write crosses as request_id; without one each request has its own', async () => {
  const token = shop.token('CUSTOMER');
  const withKey = (key: string): Promise<Received> =>
    send(shop, 'POST /v1/orders', { token, body: ORDER, headers: { 'idempotency-key': key } });
  assert.equal((await withKey('k-1')).status, 201);
  assert.equal(seen.ordered?.requestId, 'k-1');
  await send(shop, 'POST /v1/orders', { token, body: ORDER });
  const first = seen.ordered?.requestId;
  await send(shop, 'POST /v1/orders', { token, body: ORDER });
  assert.match(first ?? '', /^[0-9a-f-]{36}$/u);
  assert.notEqual(seen.ordered?.requestId, first);
  for (const wrong of ['', 'x'.repeat(256), 'café']) {
    const answer = await withKey(wrong);
    assert.deepEqual([answer.status, reasonOf(answer)], [400, 'INVALID_HEADER'], wrong);
  }
  assert.equal((await withKey('x'.repeat(255))).status, 201);
  const get = await send(shop, 'GET /v1/products/phone', { headers: { 'idempotency-key': 'x'.repeat(256) } });
  assert.equal(get.status, 200);
});

test('If-Match crosses as etag, and a PATCH without mask names what it changes', async () => {
  const answer = await send(shop, 'PATCH /v1/products/phone', {
    token: shop.token('ADMIN'),
    body: { displayName: 'New', price: { minorUnits: 5, currencyCode: 'USD' } },
    headers: { 'if-match': '"7-1"' },
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(seen.updated?.product?.productId, 'phone');
  assert.equal(seen.updated?.etag, '7-1');
  assert.deepEqual(seen.updated?.updateMask, ['display_name', 'price.minor_units', 'price.currency_code']);
});

test('a raw body crosses as it came, with its signatures, on its own route only', async () => {
  const raw = '{"a": 1,  "b":2}';
  const headers = {
    'content-type': 'application/vnd.x',
    'mercer-signature': 't=1,v1=ab',
    'stripe-signature': 't=2',
  };
  const answer = await send(shop, 'POST /v1/payments:acquirerEvent', { body: raw, headers });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(seen.event?.event?.data.toString(), raw);
  assert.equal(seen.event?.event?.contentType, 'application/vnd.x');
  const { 'mercer-signature': ours, 'stripe-signature': theirs } = shop.received()?.getMap() ?? {};
  assert.deepEqual([ours, theirs], ['t=1,v1=ab', 't=2']);
});

test('a client that goes away ends the call upstream', async () => {
  const before = seen.aborted;
  const request = httpRequest(`${shop.url}/v1/products/hangs`).on('error', () => undefined);
  request.end();
  await sleep(300);
  request.destroy();
  await sleep(300);
  assert.equal(seen.aborted, before + 1);
  await sleep(50);
  assert.ok(shop.lines.some((line) => line['event'] === 'http_request' && line['status'] === 499));
});

test('pages of an allowed origin may call, others are not told that they may', async () => {
  const preflight = await send(shop, 'OPTIONS /v1/orders', {
    headers: { origin: ORIGIN, 'access-control-request-method': 'POST' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), ORIGIN);
  assert.equal(preflight.headers.get('access-control-allow-methods'), 'GET, HEAD, OPTIONS, POST');
  assert.match(
    preflight.headers.get('access-control-allow-headers') ?? '',
    /authorization.*idempotency-key/u,
  );
  const simple = await send(shop, 'GET /v1/products/phone', { headers: { origin: ORIGIN } });
  assert.equal(simple.headers.get('vary'), 'Origin');
  assert.match(simple.headers.get('access-control-expose-headers') ?? '', /etag/u);
  const other = await send(shop, 'GET /v1/products/phone', { headers: { origin: 'https://evil.example' } });
  assert.equal(other.headers.get('access-control-allow-origin'), null);
  assert.equal(other.headers.get('access-control-allow-credentials'), null);
});

test('probes and pictures are served beside the API', async () => {
  for (const path of ['/healthz', '/livez', '/readyz'])
    assert.deepEqual((await send(shop, `GET ${path}`)).body, { ok: true });
  assert.ok(!shop.lines.some(({ route }) => route === '/readyz'));
  await writeFile(join(shop.images, 'phone.svg'), '<svg/>');
  await writeFile(join(shop.images, 'secret.txt'), 'x');
  const picture = await send(shop, 'GET /images/phone.svg');
  assert.deepEqual(
    [picture.status, picture.headers.get('content-type'), picture.text],
    [200, 'image/svg+xml', '<svg/>'],
  );
  const etag = picture.headers.get('etag') ?? '';
  assert.equal(
    (await send(shop, 'GET /images/phone.svg', { headers: { 'if-none-match': etag } })).status,
    304,
  );
  for (const name of [
    'none.svg',
    'secret.txt',
    '..%2fphone.svg',
    '%2e%2e%2fphone.svg',
    'ca',
    '.svg',
    'phone.svg%00',
  ])
    assert.equal((await send(shop, `GET /images/${name}`)).status, 404, name);
});

test('a request is measured and logged by its route, without its values', async () => {
  await send(shop, 'GET /v1/products/phone?bogus=secret-value');
  const text = await shop.metrics();
  assert.match(
    text,
    /http_requests_total\{method="GET",route="\/v1\/products\/\{product_id\}",status="200"/u,
  );
  assert.match(
    text,
    /grpc_client_handled_total\{grpc_service="mercer\.product\.v1\.ProductService",grpc_method="GetProduct",grpc_code="OK"/u,
  );
  const line = shop.lines.findLast((each) => each['event'] === 'http_request');
  assert.equal(line?.['route'], '/v1/products/{product_id}');
  assert.equal(line?.['status'], 400);
  assert.match(String(line?.['traceId']), /^[0-9a-f]{32}$/u);
  assert.ok(!JSON.stringify(shop.lines).includes('secret-value'));
});
