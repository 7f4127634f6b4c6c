/** The order store on a real PostgreSQL, with the rights of the app role. */
import assert from 'node:assert/strict';
import { createHash, randomUUID, randomUUIDv7 } from 'node:crypto';
import { before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import type { TestDatabase } from '#fabric/data/test-database.fixture.ts';
import type { KeyedRequest } from '#fabric/data/idempotency.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import type { Ending, Item, Order } from './domain.ts';
import { CREATE_ORDER, orderStore } from './store.ts';
import type { OrderStore, Taken } from './store.ts';

let database: TestDatabase;
let store: OrderStore;
let replica: OrderStore;

const SUPERSEDED = { code: status.ABORTED, reason: 'ORDER_SUPERSEDED' };
const AT_REST = { failed: false, grace: 0 };
const ITEMS = [
  { productId: 'watch', quantity: 2 },
  { productId: 'aurora-1', quantity: 1 },
];
const OUT_OF_STOCK: Ending = {
  state: 'FAILED',
  reason: 'OUT_OF_STOCK',
  message: "nothing left of 'watch'?",
  metadata: { product_id: 'watch', requested: '2' },
};
const CANCELLED: Ending = {
  state: 'CANCELLED',
  reason: 'ORDER_CANCELLED',
  message: 'changed mind',
  metadata: {},
};

before(async () => {
  database = await createTestDatabase({ entities, migrations });
  [store, replica] = [orderStore(await database.open()), orderStore(await database.open())];
});

test('an order that was begun is read back as it was written, lines in the order asked', async () => {
  const order = await begin();
  assert.deepEqual(await replica.find(order.orderId), order);
  assert.deepEqual(
    order.lines.map(({ productId, quantity }) => ({ productId, quantity })),
    ITEMS,
  );
});

test('twenty concurrent requests with one key, through two replicas, begin one order', async () => {
  const request = keyed();
  const begun = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? store : replica).begin(newOrder(), request)),
  );
  const own = begun.flatMap((each) => (each.kind === 'begun' ? [each.order.orderId] : []));
  const seen = begun.flatMap((each) => (each.kind === 'repeated' ? [each.resourceId] : []));
  assert.equal(own.length, 1);
  assert.deepEqual([...new Set(seen)], own);
});

test('prices, confirmation and history are read back as they were answered', async () => {
  const confirmed = await confirm(await begin());
  assert.deepEqual(await store.find(confirmed.orderId), confirmed);
  assert.deepEqual(
    confirmed.history.map(({ state }) => state),
    ['PENDING', 'CONFIRMED'],
  );
});

test('what was decided is read back, and ends as FAILED with its reason', async () => {
  const decided = await store.decide(await begin(), OUT_OF_STOCK);
  assert.deepEqual(await store.find(decided.orderId), decided);
  const failed = await store.end(decided);
  assert.equal(failed.state, 'FAILED');
  assert.deepEqual(await store.find(failed.orderId), failed);
});

test('once an order is to be undone nobody can price, confirm or let go of it as it was', async () => {
  const order = await begin();
  const priced = await price(order);
  await replica.decide(priced, CANCELLED);
  await assert.rejects(store.confirm({ ...priced, paymentId: 'payment' }), SUPERSEDED);
  await assert.rejects(price(order), SUPERSEDED);
  await assert.rejects(store.rest(priced, AT_REST), SUPERSEDED);
  await assert.rejects(store.decide(priced, OUT_OF_STOCK), SUPERSEDED);
});

test('of a confirmation and a cancellation that race, one happens', async () => {
  for (let round = 0; round < 10; round += 1) {
    const priced = { ...(await price(await begin())), paymentId: 'payment' };
    const [confirmed, decided] = await Promise.allSettled([
      store.confirm(priced),
      replica.decide(priced, CANCELLED),
    ]);
    assert.notEqual(confirmed.status, decided.status);
    const now = await store.find(priced.orderId);
    assert.equal(now?.state, confirmed.status === 'fulfilled' ? 'CONFIRMED' : 'PENDING');
  }
});

test('an order is taken over once its lease ran out, and the first holder can write no more', async () => {
  const order = await begin();
  assert.equal(await replica.takeOver(order.orderId), undefined);
  await database.asOwner(`update orders set lease_until = now() where order_id = '${order.orderId}'`);
  const taken = await replica.takeOver(order.orderId);
  assert.equal(taken?.fence, order.fence + 1);
  assert.equal(await store.takeOver(order.orderId), undefined);
  await assert.rejects(price(order), SUPERSEDED);
});

test('what is due goes to recovery once, and whoever had it in hand can write no more', async () => {
  const order = await begin();
  const priced = await price(order);
  const mine = async (from: OrderStore): Promise<Taken[]> =>
    (await from.takeOverDue(1_000)).filter((each) => each.order.orderId === order.orderId);
  assert.deepEqual(await mine(store), []);
  const due = 'set lease_until = now(), next_attempt_at = now()';
  await database.asOwner(`update orders ${due} where order_id = '${order.orderId}'`);
  assert.deepEqual(await mine(replica), [{ order: { ...priced, fence: order.fence + 1 }, attempts: 1 }]);
  assert.deepEqual(await mine(store), []);
  await assert.rejects(store.confirm({ ...priced, paymentId: 'payment' }), SUPERSEDED);
  await assert.rejects(store.decide(priced, OUT_OF_STOCK), SUPERSEDED);
  await store.renew([priced]);
  await replica.confirm({ ...priced, fence: order.fence + 1, paymentId: 'payment' });
});

test('a renewal neither revives an order that was let go nor one that was taken over', async () => {
  const order = await store.rest(await begin(), AT_REST);
  await store.renew([order]);
  const taken = await replica.takeOver(order.orderId);
  assert.equal(taken?.fence, order.fence + 1);
  await database.asOwner(
    `update orders set lease_until = now() + interval '1 minute' where order_id = '${order.orderId}'`,
  );
  await store.renew([order]);
  const left = await database.asOwner(
    `select lease_until > now() + interval '50 seconds' as long from orders where order_id = '${order.orderId}'`,
  );
  assert.equal(left.rows[0]?.['long'], true);
});

test('an order that rests can be taken over at once, an order at rest cannot', async () => {
  const order = await store.rest({ ...(await price(await begin())), paymentId: 'payment' }, AT_REST);
  assert.equal((await replica.takeOver(order.orderId))?.paymentId, 'payment');
  const confirmed = await confirm(await begin());
  await database.asOwner(`update orders set lease_until = now() where order_id = '${confirmed.orderId}'`);
  assert.equal(await replica.takeOver(confirmed.orderId), undefined);
  const decided = await store.decide(confirmed, CANCELLED);
  await database.asOwner(`update orders set lease_until = now() where order_id = '${decided.orderId}'`);
  assert.deepEqual((await replica.takeOver(decided.orderId))?.ending, CANCELLED);
});

test('a request at fault gets its key back, a refused purchase keeps it', async () => {
  const faulty = keyed();
  const first = await begin(faulty);
  await store.end(await store.decide(first, { ...OUT_OF_STOCK, reason: 'PRODUCT_NOT_FOUND' }));
  assert.equal((await store.begin(newOrder(), faulty)).kind, 'begun');
  const refused = keyed();
  const second = await begin(refused);
  await store.end(await store.decide(second, OUT_OF_STOCK));
  assert.deepEqual(await store.begin(newOrder(), refused), {
    kind: 'repeated',
    resourceId: second.orderId,
    answer: undefined,
  });
});

test('a part of the money leaves the order CONFIRMED, all of it makes it REFUNDED', async () => {
  const confirmed = await confirm(await begin());
  const { orderId, total } = confirmed;
  await store.recordRefund({ orderId, amountRefunded: 100n }, 'scratched');
  const part = await store.recordRefund({ orderId, amountRefunded: 50n }, 'scratched');
  assert.deepEqual(await store.find(orderId), part);
  assert.deepEqual([part.state, part.amountRefunded], ['CONFIRMED', 100n]);
  for (let time = 0; time < 2; time += 1)
    await store.recordRefund({ orderId, amountRefunded: total?.minorUnits ?? 0n }, 'broken');
  const all = await store.find(orderId);
  assert.deepEqual([all?.state, all?.amountRefunded], ['REFUNDED', total?.minorUnits]);
  assert.deepEqual(
    all?.history.map(({ state }) => state),
    ['PENDING', 'CONFIRMED', 'REFUNDED'],
  );
  assert.equal(all?.history.at(-1)?.note, 'broken');
});

test('a refund that was begun is due after its head start, to one caller, until it is settled or dropped', async () => {
  const { orderId } = await confirm(await begin());
  const refund = {
    orderId,
    requestId: 'due',
    amount: { currencyCode: 'USD', minorUnits: 7n },
    reason: 'why',
  };
  const mine = async (): Promise<unknown[]> =>
    (await store.takeRefundsDue(100)).filter((each) => each.orderId === orderId);
  const pass = (): Promise<unknown> =>
    database.asOwner(`update order_refund set next_attempt_at = now() where order_id = '${orderId}'`);
  assert.equal(await store.beginRefund(refund), true);
  assert.deepEqual(await mine(), []);
  await pass();
  assert.deepEqual(await mine(), [refund]);
  assert.deepEqual(await mine(), []);
  await store.dropRefund(refund);
  const all = { orderId, requestId: 'all', reason: '' };
  assert.equal(await store.beginRefund(all), true);
  await pass();
  assert.deepEqual(await mine(), [all]);
  await store.recordRefund({ ...all, amountRefunded: 7n }, '');
  await pass();
  assert.deepEqual(await mine(), []);
});

test('a refund is not begun for an order that is unpaid or being undone', async () => {
  const order = await begin();
  const refund = { orderId: order.orderId, requestId: 'one', reason: '' };
  assert.equal(await store.beginRefund(refund), false);
});

test('a list is newest first, filtered by customer and state, and pages without gap or repetition', async () => {
  const customerId = `customer-${randomUUID()}`;
  const orders: Order[] = [];
  for (let index = 0; index < 7; index += 1) orders.push(await begin(keyed(), customerId));
  await database.asOwner(
    `update orders set create_time = '2026-01-01 00:00:00.123+00' where customer_id = '${customerId}'`,
  );
  const pages: string[] = [];
  for (let after: Order | undefined; ;) {
    const page: Order[] = await store.list({ customerId, after, limit: 3 });
    pages.push(...page.map(({ orderId }) => orderId));
    after = page.at(-1);
    if (page.length < 3) break;
  }
  assert.deepEqual(pages, orders.map(({ orderId }) => orderId).toReversed());
  assert.deepEqual(await store.list({ customerId, state: 'FAILED', limit: 10 }), []);
  assert.equal((await store.list({ customerId, state: 'PENDING', limit: 10 })).length, 7);
});

test('an id that is no UUID is no order', async () => {
  assert.equal(await store.find("' or true --"), undefined);
});

test('the database itself refuses a confirmed order without a price, and changed history', async () => {
  const { orderId } = await begin();
  await assert.rejects(
    database.asOwner(`update orders set state = 'CONFIRMED' where order_id = '${orderId}'`),
    { code: '23514' },
  );
  const app = (await database.open()).em();
  await assert.rejects(app.execute(`update order_history set note = 'x' where order_id = ?`, [orderId]), {
    code: '42501',
  });
  await assert.rejects(app.execute('delete from orders where order_id = ?', [orderId]), { code: '42501' });
});

async function begin(request = keyed(), customerId = 'alice'): Promise<Order> {
  const begun = await store.begin(newOrder(customerId), request);
  if (begun.kind !== 'begun') throw new Error('the key was used before');
  return begun.order;
}

function price(order: Order): Promise<Order> {
  const unitPrice = { currencyCode: 'USD', minorUnits: 1_000n };
  const lines = order.lines.map((line) => ({ ...line, displayName: `O'${line.productId}`, unitPrice }));
  return store.recordPrices(order, { lines, total: { currencyCode: 'USD', minorUnits: 3_000n } });
}

async function confirm(order: Order): Promise<Order> {
  return store.confirm({ ...(await price(order)), paymentId: randomUUIDv7() });
}

function newOrder(customerId = 'alice'): { orderId: string; customerId: string; items: Item[] } {
  return { orderId: randomUUIDv7(), customerId, items: ITEMS };
}

function keyed(): KeyedRequest {
  const fingerprint = createHash('sha256').update('body').digest();
  return { caller: 'https://idp alice', method: CREATE_ORDER, key: randomUUID(), fingerprint };
}
