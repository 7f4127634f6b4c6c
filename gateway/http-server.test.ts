/** The limits of the public port, tried over real sockets. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ORDER, behaviour } from './behaviour.fixture.ts';
import type { Seen } from './behaviour.fixture.ts';
import { reasonOf } from './client.fixture.ts';
import { openShop, rawExchange } from './gateway.fixture.ts';
import type { Shop } from './gateway.fixture.ts';

let shop: Shop;
const seen: Seen = { aborted: 0 };
before(async () => {
  shop = await openShop(behaviour(seen));
});
after(() => shop[Symbol.asyncDispose]());

test('a body is bounded, typed and not compressed', async () => {
  const token = shop.token('CUSTOMER');
  const sendBody = async (
    body: string | ReadableStream,
    headers: Record<string, string>,
  ): Promise<unknown[]> => {
    const response = await fetch(`${shop.url}/v1/orders`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, ...headers },
      body,
      ...(typeof body === 'string' ? {} : { duplex: 'half' as const }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    return [response.status, 'error' in answer ? reasonOf({ body: answer }) : undefined];
  };
  const json = { 'content-type': 'application/json' };
  const large = `{"paymentToken":"${'x'.repeat(256 * 1024)}"}`;
  assert.deepEqual(await sendBody(large, json), [413, 'BODY_TOO_LARGE']);
  assert.deepEqual(await sendBody(new Blob([large]).stream(), json), [413, 'BODY_TOO_LARGE']);
  assert.deepEqual(await sendBody('{}', { 'content-type': 'text/plain' }), [415, 'UNSUPPORTED_MEDIA_TYPE']);
  assert.deepEqual(await sendBody('a=b', { 'content-type': 'application/x-www-form-urlencoded' }), [
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ]);
  assert.deepEqual(await sendBody('{}', { 'content-type': 'application/json; charset=latin1' }), [
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ]);
  assert.deepEqual(await sendBody('{}', { ...json, 'content-encoding': 'gzip' }), [
    415,
    'UNSUPPORTED_CONTENT_ENCODING',
  ]);
  assert.deepEqual(await sendBody('{}x', json), [400, 'INVALID_JSON']);
  const [code] = await sendBody(JSON.stringify(ORDER), { 'content-type': 'application/json; charset=UTF-8' });
  assert.equal(code, 201);
});

test('what is no HTTP, or too much of it, is refused in the one shape', async () => {
  const host = 'host: x\r\n';
  const cases: [string, number, string][] = [
    ['GET /v1/products HTTP/1.1\r\n\r\n', 400, 'INVALID_HEADER'],
    [`GET /v1/products HTTP/1.1\r\n${host}host: y\r\n\r\n`, 400, 'INVALID_HEADER'],
    [`GET /v1/products HTTP/1.1\r\n${host}expect: tea\r\n\r\n`, 417, 'EXPECTATION_FAILED'],
    [`GET /v1/products#x HTTP/1.1\r\n${host}\r\n`, 400, 'INVALID_TARGET'],
    [`GET /v1/%ff HTTP/1.1\r\n${host}\r\n`, 400, 'INVALID_TARGET'],
    [`GET /${'a'.repeat(8_192)} HTTP/1.1\r\n${host}\r\n`, 414, 'TARGET_TOO_LONG'],
    [`GET /${'a'.repeat(40_000)} HTTP/1.1\r\n${host}\r\n`, 414, 'TARGET_TOO_LONG'],
    ['CONNECT x:443 HTTP/1.1\r\nhost: x:443\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
    [`GET / HTTP/1.1\r\n${host}a: ${'a'.repeat(17_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
    ['nonsense\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    [
      `POST /v1/orders HTTP/1.1\r\n${host}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'MALFORMED_REQUEST',
    ],
    [
      `POST /v1/orders HTTP/1.1\r\n${host}content-length: 1\r\ncontent-length: 2\r\n\r\nab`,
      400,
      'MALFORMED_REQUEST',
    ],
    [`GET /v1/products HTTP/1.1\r\n${host}a : b\r\n\r\n`, 400, 'MALFORMED_REQUEST'],
  ];
  for (const [bytes, code, reason] of cases) {
    const text = await rawExchange(shop, bytes.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${code} `, 'u'), bytes.slice(0, 80));
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>;
    assert.equal(reasonOf({ body }), reason, bytes.slice(0, 80));
    assert.match(text, /x-request-id: [^\r]+/u);
    assert.match(text, /x-trace-id: [0-9a-f]{32}/u);
  }
});

test('an absolute target is its path', async () => {
  const text = await rawExchange(
    shop,
    'GET http://other/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 200 /u);
});

test('two keys are refused, and a pipelined request that is broken does not spoil the one before', async () => {
  const token = shop.token('CUSTOMER');
  const body = JSON.stringify(ORDER);
  const head = `POST /v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  const two = await rawExchange(
    shop,
    `${head}idempotency-key: a\r\nidempotency-key: a\r\nconnection: close\r\n\r\n${body}`,
  );
  assert.match(two, /^HTTP\/1\.1 400 /u);
  const pipelined = await rawExchange(shop, `${head}\r\n${body}nonsense\r\n\r\n`);
  assert.match(pipelined, /^HTTP\/1\.1 201 /u);
  assert.match(pipelined, /HTTP\/1\.1 400 Bad Request/u);
});

test('a client that is slow with its body is cut off with 408', async () => {
  const text = await rawExchange(
    shop,
    'POST /v1/payments:acquirerEvent HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nab',
  ).catch(String);
  assert.match(text, /^HTTP\/1\.1 408 /u);
});

test('what is under way when the port closes is answered, and its connection closed after', async () => {
  await using other = await openShop(behaviour({ aborted: 0 }));
  const agent = new Agent({ keepAlive: true });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${other.token('CUSTOMER')}`,
      'content-type': 'application/json',
    };
    const purchase = request(`${other.url}/v1/orders`, { method: 'POST', agent, headers }, resolve);
    purchase.once('error', reject).end(JSON.stringify({ ...ORDER, paymentToken: 'tok_slow' }));
  });
  await sleep(500);
  const drained = other.http.drain(10_000);
  const { statusCode, headers } = (await answer).resume();
  assert.deepEqual([statusCode, headers.connection], [201, 'close']);
  await drained;
});
