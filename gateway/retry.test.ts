/** Calls that are sent again, and those that must not be. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http2';
import { after, before, test } from 'node:test';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { registry } from '#fabric/rpc/descriptors.ts';
import { ORDER, behaviour } from './behaviour.fixture.ts';
import { reasonOf, send } from './client.fixture.ts';
import { failureOf } from './failure.ts';
import { openShop } from './gateway.fixture.ts';
import type { Shop } from './gateway.fixture.ts';
import { compilePlans } from './plan.ts';
import { createUpstream } from './upstream.ts';

let shop: Shop;
const attempts = new Map<string, number>();
before(async () => {
  shop = await openShop(behaviour({ aborted: 0, attempts }));
});
after(() => shop[Symbol.asyncDispose]());

test('a read whose connection broke is sent once more', async () => {
  assert.equal((await send(shop, 'GET /v1/products/flaky')).status, 200);
  assert.equal(attempts.get('flaky'), 2);
  const down = await send(shop, 'GET /v1/products/down');
  assert.deepEqual([down.status, reasonOf(down)], [503, 'UPSTREAM_UNAVAILABLE']);
  assert.equal(attempts.get('down'), 2);
});

test('a purchase is sent once more with the same key, its own or one that the gateway made', async () => {
  const order = { token: shop.token('CUSTOMER'), body: { ...ORDER, paymentToken: 'tok_flaky' } };
  const keyed = await send(shop, 'POST /v1/orders', { ...order, headers: { 'idempotency-key': 'k-1' } });
  assert.deepEqual([keyed.status, attempts.get('k-1')], [201, 2]);
  assert.equal((await send(shop, 'POST /v1/orders', order)).status, 201);
});

test('a change that has no key is not sent again', async () => {
  const body = { displayName: 'flaky' };
  const answer = await send(shop, 'PATCH /v1/products/phone', { token: shop.token('ADMIN'), body });
  assert.deepEqual([answer.status, attempts.get('change')], [503, 1]);
});

test('what a service refuses with a reason is not asked again', async () => {
  const busy = await send(shop, 'GET /v1/products/busy');
  assert.deepEqual([busy.status, attempts.get('busy')], [503, 1]);
});

test('a service that is down for long costs a tenth more calls, not twice as many', async () => {
  attempts.set('down', 0);
  for (let call = 0; call < 40; call += 1) await send(shop, 'GET /v1/products/down');
  const retries = (attempts.get('down') ?? 0) - 40;
  assert.ok(retries >= 4 && retries <= 14, `${retries} retries`);
});

test('when only the second attempt found nobody, what the first one did is not known', async () => {
  const dying = createServer().on('stream', ({ session }) => {
    dying.close();
    session?.socket.destroy();
  });
  await new Promise<void>((resolve) => dying.listen(0, '127.0.0.1', resolve));
  const address = dying.address();
  assert.ok(typeof address === 'object' && address !== null);
  const channel = new Client(`127.0.0.1:${address.port}`, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
  });
  const plan = compilePlans(registry).find(({ name }) => name.endsWith('.GetProduct')) ?? assert.fail();
  const call = { plan, message: new Uint8Array(), metadata: new Metadata(), timeout: 5_000 };
  const { unary } = createUpstream(() => channel);
  const attempt = (): Promise<string> =>
    unary({ ...call, signal: new AbortController().signal }).then(
      () => assert.fail('nobody answers'),
      (error: unknown) => failureOf(error).message,
    );
  assert.match(await attempt(), /whether it did its work is not known/u);
  assert.match(await attempt(), /nothing was done/u);
  channel.close();
});
