/** Recovery on a real order database against a shop in memory: after a crash anywhere it alone brings every order to its end. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { createMetrics } from '#fabric/telemetry/metrics.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { counter } from './checkout.ts';
import type { Checkout } from './checkout.ts';
import type { Order } from './domain.ts';
import { leases } from './leases.ts';
import {
  assertSettled,
  buy,
  checkout,
  failing,
  keyed,
  mortal,
  openOrders,
  reasonOf,
  recoveryIn,
  silent,
  soon,
  usd,
  workIn,
} from './purchase.fixture.ts';
import type { Orders } from './purchase.fixture.ts';
import { recovery, startRecovery } from './recovery.ts';
import type { SagaWork } from './saga.ts';
import { Shop } from './shop.fixture.ts';
import { PARKED_AFTER } from './store.ts';
import { cancel } from './taking-back.ts';

let orders: Orders;

before(async () => {
  orders = await openOrders();
});

const LOST = new StatusError(status.UNAVAILABLE, 'gone');

describe('after a crash at any line recovery alone ends the order, and the books balance', () => {
  const buyers: [string, Partial<Checkout>][] = [
    ['approved', {}],
    ['declined', { paymentToken: 'tok_declined' }],
    ['at another price', { expectedTotal: usd(1n) }],
  ];
  for (const [name, change] of buyers) {
    for (let line = 1; line <= 9; line += 1) {
      for (const when of ['before', 'after'] as const) {
        test(`purchase ${name}, crash ${when} effect ${line}`, async () => {
          const shop = new Shop();
          const request = keyed();
          await counter(mortal(workIn(shop, orders.store), { line, when }))
            .place(checkout(change), request, soon())
            .catch(() => undefined);
          const [orderId] = await orders.placedUnder(request);
          await recoverAll(shop);
          if (orderId === undefined) return assert.deepEqual(shop.calls, []);
          const order = await found(orderId);
          assert.equal(
            order.state,
            name === 'approved' && wasCharged(shop, orderId) ? 'CONFIRMED' : 'FAILED',
          );
          assertBalanced(shop, [order]);
          const again = await counter(workIn(shop, orders.replica)).place(checkout(change), request, soon());
          assert.equal(again.orderId, orderId);
          assert.equal(again.state, order.state);
        });
      }
    }
  }
  for (let line = 1; line <= 5; line += 1) {
    for (const when of ['before', 'after'] as const) {
      test(`cancellation of a paid order, crash ${when} effect ${line}`, async () => {
        const shop = new Shop();
        const order = await buy(shop, orders.store);
        await cancel(order, '', mortal(workIn(shop, orders.store), { line, when })).catch(() => undefined);
        await recoverAll(shop);
        const now = await found(order.orderId);
        assert.equal(now.state, line === 1 && when === 'before' ? 'CONFIRMED' : 'CANCELLED');
        assertBalanced(shop, [now]);
      });
      test(`recovery of a paid order, crash ${when} effect ${line}`, async () => {
        const shop = new Shop();
        const order = await leftAfter(shop, 4);
        await orders.pass();
        await sweep(mortal(recoveryIn(shop, orders.store), { line, when })).catch(() => undefined);
        await recoverAll(shop);
        const now = await found(order.orderId);
        assert.equal(now.state, 'CONFIRMED');
        assertBalanced(shop, [now]);
      });
    }
  }
});

test('recovery never begins a charge: an order that was not charged ends INTERRUPTED', async () => {
  const shop = new Shop();
  for (const line of [1, 2, 3]) {
    const order = await leftAfter(shop, line);
    await recoverAll(shop);
    const now = await found(order.orderId);
    assert.equal(now.state, 'FAILED');
    assert.equal(reasonOf(now), 'INTERRUPTED');
  }
  assert.ok(!shop.calls.includes('chargeOrder'));
});

test('an order that was charged while its goods were sold is refunded, and ends OUT_OF_STOCK', async () => {
  const shop = new Shop();
  const order = await leftAfter(shop, 4);
  shop.refuse = {
    commitStock: new StatusError(status.FAILED_PRECONDITION, 'sold', { reason: 'RESERVATION_EXPIRED' }),
  };
  await recoverAll(shop);
  const now = await found(order.orderId);
  assert.equal(reasonOf(now), 'OUT_OF_STOCK');
  assert.equal(now.amountRefunded, 500n);
  assertBalanced(shop, [now]);
});

test('of two recoveries at once each order goes to one', async () => {
  const shop = new Shop();
  const left = await Promise.all(Array.from({ length: 40 }, () => leftAfter(shop, 4)));
  await orders.pass();
  shop.calls.length = 0;
  await Promise.all([sweep(recoveryIn(shop, orders.store)), sweep(recoveryIn(shop, orders.replica))]);
  const now = await Promise.all(left.map(({ orderId }) => found(orderId)));
  assert.ok(now.every(({ state }) => state === 'CONFIRMED'));
  assert.equal(shop.calls.filter((call) => call === 'resolveCharge').length, 40);
  assert.equal(shop.calls.filter((call) => call === 'commitStock').length, 40);
  assertBalanced(shop, now);
});

test('a slow purchase keeps its order: recovery does not touch it however long it takes', async () => {
  const shop = new Shop();
  const work = {
    ...workIn(shop, orders.store),
    leases: leases(orders.store, { every: 40, longest: 10_000, soon: 0 }),
  };
  const { promise: paid, resolve: pay } = Promise.withResolvers<undefined>();
  const request = keyed();
  const placing = counter(slowly(work, paid)).place(checkout(), request, soon());
  while ((await orders.unfinished('total is not null')) === 0) await sleep(10);
  const [orderId = ''] = await orders.placedUnder(request);
  const { fence } = await found(orderId);
  for (let round = 0; round < 5; round += 1) {
    await orders.age(orderId, 300);
    await sleep(150);
    await sweep(recoveryIn(shop, orders.replica));
  }
  await sleep(300);
  await sweep(recoveryIn(shop, orders.replica));
  assert.equal((await found(orderId)).fence, fence);
  pay(undefined);
  assert.equal((await placing).state, 'CONFIRMED');
});

test('a cancellation under way keeps its order, however long ago the order was placed', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  await orders.age(order.orderId, 0);
  const work = workIn(shop, orders.store);
  let fence = 0;
  const reverse: typeof work.charges.reverse = async (...charge) => {
    await sweep(recoveryIn(shop, orders.replica));
    fence = (await found(order.orderId)).fence;
    return work.charges.reverse(...charge);
  };
  const cancelled = await cancel(order, '', { ...work, charges: { ...work.charges, reverse } });
  assert.equal(cancelled.state, 'CANCELLED');
  assert.equal(fence, order.fence + 1);
});

test('a purchase that hangs loses its order, and can change nothing when it wakes', async () => {
  const shop = new Shop();
  const { promise: paid, resolve: pay } = Promise.withResolvers<undefined>();
  const request = keyed();
  const placing = counter(slowly(workIn(shop, orders.store), paid)).place(checkout(), request, soon());
  while ((await orders.unfinished('total is not null')) === 0) await sleep(10);
  await recoverAll(shop);
  const [orderId = ''] = await orders.placedUnder(request);
  assert.equal(reasonOf(await found(orderId)), 'INTERRUPTED');
  pay(undefined);
  assert.equal(reasonOf(await placing), 'INTERRUPTED');
  assertBalanced(shop, [await found(orderId)]);
});

test('an order that was left open is its customer’s for 5 s, and asking again confirms it', async () => {
  const shop = new Shop();
  const request = keyed();
  failing(shop, ['reserveStock'], { when: 'before', error: LOST, times: Infinity });
  await assert.rejects(counter(workIn(shop, orders.store)).place(checkout(), request, soon()));
  shop.fault = () => undefined;
  const [orderId = ''] = await orders.placedUnder(request);
  assert.equal(await orders.pauseOf(orderId), 5);
  await sweep(recoveryIn(shop, orders.replica));
  const order = await counter(workIn(shop, orders.store)).place(checkout(), request, soon());
  assert.equal(order.state, 'CONFIRMED');
});

test('an order whose process died is its customer’s for 5 s after its lease', async () => {
  const shop = new Shop();
  const request = keyed();
  await counter(mortal(workIn(shop, orders.store), { line: 2, when: 'after' }))
    .place(checkout(), request, soon())
    .catch(() => undefined);
  const [orderId = ''] = await orders.placedUnder(request);
  assert.equal(await orders.pauseOf(orderId), 5);
  await orders.lapse(request);
  await sweep(recoveryIn(shop, orders.replica));
  const order = await counter(workIn(shop, orders.store)).place(checkout(), request, soon());
  assert.equal(order.state, 'CONFIRMED');
});

for (const token of ['tok_async', 'tok_review']) {
  for (const decision of ['captured', 'declined'] as const) {
    test(`an order that waits for ${token} ends without its customer once it is ${decision}`, async () => {
      const shop = new Shop();
      const { orderId, state } = await buy(shop, orders.store, { paymentToken: token });
      assert.equal(state, 'PENDING');
      for (let look = 0; look < 2 * PARKED_AFTER; look += 1) await recoverAll(shop);
      assert.equal((await found(orderId)).state, 'PENDING');
      shop.accounts.set(orderId, { state: decision, amount: 500n, returned: 0n });
      await recoverAll(shop);
      const now = await found(orderId);
      assert.equal(reasonOf(now), decision === 'captured' ? undefined : 'PAYMENT_DECLINED');
      assertBalanced(shop, [now]);
    });
  }
}

test('a cancellation that could not reach the payment service is finished by recovery', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  failing(shop, ['refundPayment'], { when: 'before', error: LOST, times: Infinity });
  await assert.rejects(cancel(order, '', workIn(shop, orders.store)), { reason: 'OUTCOME_UNKNOWN' });
  await recoverAll(shop);
  assert.equal((await found(order.orderId)).state, 'CONFIRMED');
  shop.fault = () => undefined;
  await recoverAll(shop);
  const now = await found(order.orderId);
  assert.equal(now.state, 'CANCELLED');
  assertBalanced(shop, [now]);
});

test('an order that fails again and again is parked, its neighbours go on, and its customer can still act', async () => {
  const shop = new Shop();
  const [poison, neighbour] = [await leftAfter(shop, 4), await leftAfter(shop, 4)];
  const parked: [string, number][] = [];
  const work = poisoned(recoveryIn(shop, orders.store), poison.orderId);
  work.events = { ...silent(), parked: ({ orderId }, attempts) => void parked.push([orderId, attempts]) };
  for (let attempt = 1; attempt <= PARKED_AFTER + 3; attempt += 1) {
    await orders.pass();
    await sweep(work);
  }
  assert.equal((await found(neighbour.orderId)).state, 'CONFIRMED');
  assert.equal((await found(poison.orderId)).state, 'PENDING');
  assert.deepEqual(parked, [[poison.orderId, PARKED_AFTER]]);
  assert.equal((await orders.store.backlog()).parked, 1);
  await cancel(await found(poison.orderId), '', workIn(shop, orders.store));
  assert.equal((await found(poison.orderId)).state, 'CANCELLED');
  assert.equal((await orders.store.backlog()).parked, 0);
});

test('an outage parks nothing, however long it lasts', async () => {
  const shop = new Shop();
  const order = await leftAfter(shop, 4);
  failing(shop, ['resolveCharge'], { when: 'before', error: LOST, times: Infinity });
  for (let attempt = 0; attempt < PARKED_AFTER + 5; attempt += 1) await recoverAll(shop);
  assert.equal((await found(order.orderId)).state, 'PENDING');
  shop.fault = () => undefined;
  await recoverAll(shop);
  assert.equal((await found(order.orderId)).state, 'CONFIRMED');
});

test('pauses double from 1 s to 20 s', async () => {
  const shop = new Shop();
  const { orderId } = await leftAfter(shop, 4);
  failing(shop, ['resolveCharge'], { when: 'before', error: LOST, times: Infinity });
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    await recoverAll(shop);
    pauses.push(await orders.pauseOf(orderId));
  }
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 20, 20, 20]);
  shop.fault = () => undefined;
  await recoverAll(shop);
});

test('a process recovers by itself, tells what it did, and stops', async () => {
  const shop = new Shop();
  const order = await leftAfter(shop, 4);
  const waiting = await buy(shop, orders.store, { paymentToken: 'tok_review' });
  await orders.pass();
  const metrics = createMetrics('order');
  const running = startRecovery(recoveryIn(shop, orders.store), { log: pino({ level: 'silent' }), metrics });
  for (let look = 0; look < 100 && (await found(order.orderId)).state === 'PENDING'; look += 1)
    await sleep(50);
  await running.stop();
  assert.equal((await found(order.orderId)).state, 'CONFIRMED');
  assert.match(await metrics.registry.metrics(), /^mercer_order_unfinished\{service="order"\} [1-9]\d*$/mu);
  await cancel(waiting, '', workIn(shop, orders.store));
});

/** Time passes, and recovery does what is due; work of its own against the same shop. */
async function recoverAll(shop: Shop): Promise<void> {
  await orders.pass();
  await sweep(recoveryIn(shop, orders.replica));
}

async function sweep(work: SagaWork): Promise<void> {
  const sweeper = recovery(work);
  await sweeper.sweep();
  await sweeper.settled();
}

/** An approved purchase whose process died after its nth effect. */
async function leftAfter(shop: Shop, line: number): Promise<Order> {
  const request = keyed();
  await counter(mortal(workIn(shop, orders.store), { line, when: 'after' }))
    .place(checkout(), request, soon())
    .catch(() => undefined);
  const [orderId = randomUUID()] = await orders.placedUnder(request);
  return found(orderId);
}

async function found(orderId: string): Promise<Order> {
  const order = await orders.store.find(orderId);
  assert.ok(order !== undefined);
  return order;
}

function wasCharged(shop: Shop, orderId: string): boolean {
  const state = shop.accounts.get(orderId)?.state;
  return state !== undefined && state !== 'barred';
}

/** Every order over as it should be, and nothing in the shop that belongs to no order. */
function assertBalanced(shop: Shop, all: readonly Order[]): void {
  for (const order of all) assertSettled(shop, order);
  const confirmed = all.filter(({ state }) => state === 'CONFIRMED');
  assert.equal(shop.taken, confirmed.length);
  const kept = [...shop.accounts.keys()].reduce((sum, orderId) => sum + shop.kept(orderId), 0n);
  assert.equal(
    kept,
    confirmed.reduce((sum, { total }) => sum + (total?.minorUnits ?? 0n), 0n),
  );
}

function slowly(work: SagaWork, paid: Promise<unknown>): SagaWork {
  const charge: SagaWork['charges']['charge'] = async (order) => {
    await paid;
    return work.charges.charge(order);
  };
  return { ...work, charges: { ...work.charges, charge } };
}

/** The answer about one order is one that nobody understands. */
function poisoned(work: SagaWork, poison: string): SagaWork {
  const resolve: SagaWork['charges']['resolve'] = async (orderId) => {
    if (orderId === poison) throw new Error('not what the contract promises');
    return work.charges.resolve(orderId);
  };
  return { ...work, charges: { ...work.charges, resolve } };
}
