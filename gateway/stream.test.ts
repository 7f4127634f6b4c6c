/** Server streams over HTTP: formats, errors before and after the first message, slow and leaving clients. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { WatchProductsResponse } from '#gen/mercer/product/v1/product_service.ts';
import { reasonOf, send } from './client.fixture.ts';
import { openShop } from './gateway.fixture.ts';
import type { Shop } from './gateway.fixture.ts';
import { pump, streamFormat } from './stream.ts';

let shop: Shop;
let produced = 0;
let left = 0;

before(async () => {
  shop = await openShop({ product: { watchProducts: ({ productIds }, call) => watch(productIds, call) } });
});
after(() => shop[Symbol.asyncDispose]());

const BIG = 'x'.repeat(4_000);

async function* watch(ids: string[], { signal }: CallContext): AsyncIterable<WatchProductsResponse> {
  try {
    for (const productId of ids) {
      if (productId === 'refused') throw new StatusError(status.ABORTED, 'enough', { reason: 'CONFLICT' });
      if (productId === 'quiet') await sleep(60_000, undefined, { signal, ref: false });
      for (let more = productId === 'endless'; more; more = !signal.aborted) {
        produced += 1;
        yield WatchProductsResponse.fromPartial({ product: { productId, description: BIG } });
      }
      yield WatchProductsResponse.fromPartial({ product: { productId } });
    }
  } finally {
    left += 1;
  }
}

async function read(ids: string[], accept: string): Promise<{ status: number; type: string; text: string }> {
  const query = ids.map((id) => `productIds=${id}`).join('&');
  const answer = await send(shop, `GET /v1/products:watch?${query}`, { headers: { accept } });
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: answer.text };
}

/** Opens a stream without reading it. */
function open(ids: string[], accept = '*/*'): Promise<IncomingMessage> {
  const query = ids.map((id) => `productIds=${id}`).join('&');
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${shop.url}/v1/products:watch?${query}`, { headers: { accept } }, resolve);
    request.once('error', reject).end();
  });
}

test('records come as lines, as events or as one array', async () => {
  const lines = await read(['a', 'b'], '*/*');
  assert.deepEqual([lines.status, lines.type], [200, 'application/x-ndjson']);
  const [first, second, end] = lines.text.split('\n');
  assert.equal((JSON.parse(first ?? '') as Record<string, unknown>)['productId'], 'a');
  assert.equal((JSON.parse(second ?? '') as Record<string, unknown>)['productId'], 'b');
  assert.equal(end, '');

  const events = await read(['a', 'b'], 'text/event-stream');
  assert.equal(events.type, 'text/event-stream');
  assert.match(
    events.text,
    /^id: 1\ndata: \{"productId":"a",[^\n]*\}\n\nid: 2\ndata: \{"productId":"b",[^\n]*\}\n\n$/u,
  );

  const array = await read(['a', 'b'], 'application/json');
  assert.equal(array.type, 'application/json');
  assert.deepEqual(
    (JSON.parse(array.text) as { productId: string }[]).map(({ productId }) => productId),
    ['a', 'b'],
  );
  assert.deepEqual(JSON.parse((await read([], 'application/json')).text), []);
});

test('the format is the one that the client likes best', () => {
  const cases: [string | undefined, string][] = [
    [undefined, 'application/x-ndjson'],
    ['text/html', 'application/x-ndjson'],
    ['application/json;q=0.5, text/event-stream;q=0.6', 'text/event-stream'],
    ['text/event-stream;q=0, application/json', 'application/json'],
    ['Application/JSON', 'application/json'],
    ['application/json;q=x', 'application/x-ndjson'],
  ];
  for (const [accept, type] of cases) assert.equal(streamFormat(accept).type, type, String(accept));
});

test('a refusal before the first message is a status', async () => {
  for (const accept of ['*/*', 'text/event-stream', 'application/json']) {
    const answer = await send(shop, 'GET /v1/products:watch?productIds=refused', { headers: { accept } });
    assert.deepEqual([answer.status, reasonOf(answer)], [409, 'CONFLICT'], accept);
  }
  const wrong = await send(shop, 'GET /v1/products:watch?bogus=1');
  assert.equal(wrong.status, 400);
});

test('a failure after the first message is the last record', async () => {
  const lines = await read(['a', 'refused'], '*/*');
  assert.equal(lines.status, 200);
  const last = JSON.parse(lines.text.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
  assert.equal(reasonOf({ body: last }), 'CONFLICT');
  const events = await read(['a', 'refused'], 'text/event-stream');
  assert.match(events.text, /event: error\ndata: \{"error":\{"code":409,/u);
  const array = JSON.parse((await read(['a', 'refused'], 'application/json')).text) as Record<
    string,
    unknown
  >[];
  assert.equal(reasonOf({ body: array[1] ?? {} }), 'CONFLICT');
});

test('a quiet stream begins within two seconds, and ends upstream when the client leaves', async () => {
  const started = performance.now();
  const before = left;
  const response = await open(['quiet'], 'text/event-stream');
  assert.equal(response.statusCode, 200);
  assert.ok(performance.now() - started < 2_000);
  response.destroy();
  await until(() => left === before + 1);
});

test('a client that does not read is not written to without end', async () => {
  const response = await open(['endless']);
  await until(() => produced > 10);
  await sleep(500);
  const stalled = produced;
  await sleep(500);
  assert.equal(produced, stalled);
  const before = left;
  response.destroy();
  await until(() => left === before + 1);
});

test('HEAD tells the type and opens nothing', async () => {
  const before = left;
  const answer = await send(shop, 'HEAD /v1/products:watch?productIds=a');
  assert.deepEqual(
    [answer.status, answer.headers.get('content-type'), answer.text],
    [200, 'application/x-ndjson', ''],
  );
  assert.equal(left, before);
});

test('a gateway that ends says so to those who listen, and closes', async () => {
  await using other = await openShop({
    product: { watchProducts: ({ productIds }, call) => watch(productIds, call) },
  });
  const reading = send(other, 'GET /v1/products:watch?productIds=a&productIds=quiet');
  await sleep(300);
  const began = performance.now();
  await other.http.drain(10_000);
  // An idle connection would be kept for 5 s.
  assert.ok(performance.now() - began < 3_000);
  const lines = (await reading).text.trimEnd().split('\n');
  assert.equal(
    reasonOf({ body: JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> }),
    'SHUTTING_DOWN',
  );
});

test('while there is nothing to say, a comment goes out every ten seconds', async (t) => {
  const never = new AbortController();
  async function* quiet(): AsyncIterable<Uint8Array> {
    await once(never.signal, 'abort');
    yield new Uint8Array();
  }
  const format = streamFormat('text/event-stream');
  t.mock.timers.enable({ apis: ['setInterval'] });
  const server = createServer((_, response) => {
    void pump(quiet(), response, { format, write: () => '{}', signal: never.signal });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const answer = await fetch(`http://127.0.0.1:${address.port}/`);
  const reader = (answer.body ?? assert.fail('no body')).getReader();
  for (let beats = 0; beats < 2; beats += 1) {
    t.mock.timers.tick(10_000);
    const { value } = await reader.read();
    assert.equal(Buffer.from(value ?? []).toString(), ': still here\n\n');
  }
  never.abort();
  await reader.cancel();
  server.close();
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !condition(); tries += 1) await sleep(50);
  assert.ok(condition(), 'it did not happen within 5 s');
}
