/** Placing orders under keys, on a real order database against a shop in memory. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProgress } from '#fabric/data/idempotency.ts';
import { counter } from './checkout.ts';
import { purchaseOutcome } from './domain.ts';
import { leases } from './leases.ts';
import { assertSettled, checkout, keyed, openOrders, reasonOf, soon, workIn } from './purchase.fixture.ts';
import type { Orders } from './purchase.fixture.ts';
import { Shop } from './shop.fixture.ts';
import { cancel } from './taking-back.ts';

let orders: Orders;

before(async () => {
  orders = await openOrders();
});

test('twenty concurrent requests with one key through two replicas buy once and answer alike', async () => {
  const shop = new Shop();
  const request = keyed();
  const counters = [counter(workIn(shop, orders.store)), counter(workIn(shop, orders.replica))] as const;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      counters[index % 2 === 0 ? 0 : 1].place(checkout(), request, soon()),
    ),
  );
  assert.equal(new Set(answers.map(({ orderId }) => orderId)).size, 1);
  for (const answer of answers) assert.deepEqual({ ...answer, fence: 0 }, { ...answers[0], fence: 0 });
  assert.equal(shop.taken, 1);
});

test('while another call has the order in hand a repetition is told so when its time is up', async () => {
  const shop = new Shop();
  const request = keyed();
  await orders.store.begin({ orderId: randomUUID(), customerId: 'alice', items: checkout().items }, request);
  const answer = counter(workIn(shop, orders.store)).place(checkout(), request, new Date(Date.now() + 500));
  await assert.rejects(answer, inProgress(request));
});

test('an order whose payment waits stays PENDING, and the same key brings the final outcome', async () => {
  const shop = new Shop();
  const request = keyed();
  const asked = checkout({ paymentToken: 'tok_async' });
  const waiting = await counter(workIn(shop, orders.store)).place(asked, request, soon());
  assert.equal(waiting.state, 'PENDING');
  assert.equal(waiting.paymentId, `payment-of-${waiting.orderId}`);
  assert.deepEqual(purchaseOutcome(waiting), { order: waiting });
  shop.accounts.set(waiting.orderId, { state: 'captured', amount: 500n, returned: 0n });
  const order = await counter(workIn(shop, orders.replica)).place(asked, request, soon());
  assert.equal(order.orderId, waiting.orderId);
  assert.equal(order.state, 'CONFIRMED');
  assertSettled(shop, order);
});

test('when time is nearly up the PENDING order is answered, and the purchase goes on without its caller', async () => {
  const shop = new Shop();
  const slow = workIn(shop, orders.store);
  const { promise: paid, resolve: pay } = Promise.withResolvers<undefined>();
  const charges = {
    ...slow.charges,
    charge: async (order: Parameters<typeof slow.charges.charge>[0]) => {
      await paid;
      return slow.charges.charge(order);
    },
  };
  const desk = counter({ ...slow, charges });
  const order = await desk.place(checkout(), keyed(), new Date(Date.now() + 600));
  assert.equal(order.state, 'PENDING');
  pay(undefined);
  await desk.drain();
  assert.equal((await orders.store.find(order.orderId))?.state, 'CONFIRMED');
});

test('a purchase that is cancelled while it is paid tells of the cancellation once that is finished', async () => {
  const shop = new Shop();
  const work = workIn(shop, orders.store);
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<undefined>();
  const slow = workIn(shop, orders.replica);
  const reverse: typeof slow.charges.reverse = async (...charge) => {
    await mayEnd;
    return slow.charges.reverse(...charge);
  };
  let cancelling: Promise<unknown> | undefined;
  const charge: typeof work.charges.charge = async (asked) => {
    const charged = await work.charges.charge(asked);
    const order = (await orders.store.find(asked.orderId)) ?? assert.fail();
    cancelling = cancel(order, '', { ...slow, charges: { ...slow.charges, reverse } });
    while ((await orders.store.find(asked.orderId))?.ending === undefined) await sleep(10);
    setTimeout(() => end(undefined), 150);
    return charged;
  };
  const placing = counter({ ...work, charges: { ...work.charges, charge } });
  const order = await placing.place(checkout(), keyed(), soon());
  await cancelling;
  assert.equal(order.state, 'CANCELLED');
  assert.equal(reasonOf(order), 'ORDER_CANCELLED');
});

test('a repetition finds the order in hand for as long as its charge takes', async () => {
  const shop = new Shop();
  const request = keyed();
  const work = {
    ...workIn(shop, orders.store),
    leases: leases(orders.store, { every: 40, longest: 10_000, soon: 0 }),
  };
  const { promise: paid, resolve: pay } = Promise.withResolvers<undefined>();
  const charge: typeof work.charges.charge = async (asked) => {
    await paid;
    return work.charges.charge(asked);
  };
  const placing = counter({ ...work, charges: { ...work.charges, charge } }).place(
    checkout(),
    request,
    soon(),
  );
  while ((await orders.unfinished('total is not null')) === 0) await sleep(10);
  const [orderId = ''] = await orders.placedUnder(request);
  const { fence } = (await orders.store.find(orderId)) ?? assert.fail();
  await orders.age(orderId, 400);
  const until = new Date(Date.now() + 1_000);
  const again = counter(workIn(shop, orders.replica)).place(checkout(), request, until);
  await assert.rejects(again, inProgress(request));
  assert.equal((await orders.store.find(orderId))?.fence, fence);
  pay(undefined);
  assert.equal((await placing).state, 'CONFIRMED');
  assert.deepEqual(shop.calls, ['reserveStock', 'chargeOrder', 'commitStock']);
});
