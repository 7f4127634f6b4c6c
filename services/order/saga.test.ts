/** Purchases on a real order database against a shop in memory: every answer of every step, and a crash at every line. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { counter } from './checkout.ts';
import {
  assertSettled,
  buy,
  checkout,
  failing,
  keyed,
  mortal,
  openOrders,
  reasonOf,
  soon,
  usd,
  workIn,
} from './purchase.fixture.ts';
import type { Orders } from './purchase.fixture.ts';
import { Shop } from './shop.fixture.ts';
import type { Call } from './shop.fixture.ts';
import type { Checkout } from './checkout.ts';
import type { Reason } from './domain.ts';
import type { OrderStore } from './store.ts';
import { cancel } from './taking-back.ts';

let orders: Orders;

before(async () => {
  orders = await openOrders();
});

const OPEN = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.INTERNAL, status.UNKNOWN];
const STEPS: Call[] = ['reserveStock', 'chargeOrder', 'commitStock'];
const UNKNOWN = { code: status.UNAVAILABLE, reason: 'OUTCOME_UNKNOWN' };

test('a purchase reserves, charges, commits and confirms, in that order and once each', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  assert.equal(order.state, 'CONFIRMED');
  assert.deepEqual(order.total, { currencyCode: 'USD', minorUnits: 500n });
  assert.deepEqual(shop.calls, ['reserveStock', 'chargeOrder', 'commitStock']);
  assertSettled(shop, order);
  assert.deepEqual(await orders.store.find(order.orderId), order);
});

type Refusal = [string, (shop: Shop) => Partial<Checkout> | undefined, Reason, 'frees' | 'holds'];
const REFUSALS: Refusal[] = [
  ['sold out', (shop) => void (shop.stock = 0), 'OUT_OF_STOCK', 'holds'],
  ['sold while it paid', refusing('commitStock', 'RESERVATION_EXPIRED'), 'OUT_OF_STOCK', 'holds'],
  ['declined', () => ({ paymentToken: 'tok_declined' }), 'PAYMENT_DECLINED', 'holds'],
  ['at another price', () => ({ expectedTotal: usd(499n) }), 'PRICE_CHANGED', 'holds'],
  ['for an unknown product', refusing('reserveStock', 'PRODUCT_NOT_FOUND'), 'PRODUCT_NOT_FOUND', 'frees'],
  ['for an archived product', refusing('reserveStock', 'PRODUCT_ARCHIVED'), 'PRODUCT_ARCHIVED', 'frees'],
  ['in two currencies', refusing('reserveStock', 'MIXED_CURRENCIES'), 'MIXED_CURRENCIES', 'frees'],
  ['with an unknown token', () => ({ paymentToken: 'tok_none' }), 'PAYMENT_TOKEN_UNKNOWN', 'frees'],
  ['too dear', (shop) => void (shop.unitPrice = usd(10n ** 15n)), 'TOTAL_TOO_LARGE', 'frees'],
  ['barred meanwhile', refusing('chargeOrder', 'CHARGE_BARRED'), 'INTERRUPTED', 'holds'],
];
for (const [name, prepare, reason, key] of REFUSALS) {
  test(`a purchase ${name} is undone, FAILED with ${reason}, and ${key} its key`, async () => {
    const shop = new Shop();
    const asked = checkout(prepare(shop) ?? {});
    const request = keyed();
    const order = await counter(workIn(shop, orders.store)).place(asked, request, soon());
    assert.equal(order.state, 'FAILED');
    assert.equal(reasonOf(order), reason);
    assertSettled(shop, order);
    const again = await counter(workIn(shop, orders.replica)).place(asked, request, soon());
    assert.equal(again.orderId === order.orderId, key === 'holds');
    assert.equal(reasonOf(again), reason);
  });
}

describe('one open answer of a step does not harm the purchase', { concurrency: true }, () => {
  for (const call of STEPS) {
    for (const code of OPEN) {
      for (const when of ['before', 'after'] as const) {
        test(`${call} answers ${status[code]} ${when} its effect`, async () => {
          const shop = new Shop();
          failing(shop, [call], { when, error: new StatusError(code, 'lost'), times: 1 });
          const order = await buy(shop, orders.store);
          assert.equal(order.state, 'CONFIRMED');
          assertSettled(shop, order);
        });
      }
    }
  }
});

describe(
  'a step whose outcome stays open undoes nothing, and the same key resolves it',
  { concurrency: true },
  () => {
    const cases: [Call[], Partial<Checkout>][] = [
      [['reserveStock'], {}],
      [['chargeOrder'], {}],
      [['commitStock'], {}],
      [['releaseStock'], { paymentToken: 'tok_declined' }],
      [['resolveCharge'], { paymentToken: 'tok_declined' }],
    ];
    for (const [calls, change] of cases) {
      for (const when of ['before', 'after'] as const) {
        test(`${calls.join(' and ')} lost ${when} the effect`, async () => {
          const shop = new Shop();
          const asked = checkout(change);
          const request = keyed();
          failing(shop, calls, { when, error: new StatusError(status.UNAVAILABLE, 'gone'), times: Infinity });
          await assert.rejects(counter(workIn(shop, orders.store)).place(asked, request, soon()), UNKNOWN);
          shop.fault = () => undefined;
          const order = await counter(workIn(shop, orders.replica)).place(asked, request, soon());
          assert.notEqual(order.state, 'PENDING');
          assertSettled(shop, order);
          assert.equal((await orders.placedUnder(request)).length, 1);
        });
      }
    }
  },
);

describe(
  'a crash at any line loses nothing: the same key finishes or undoes the order',
  { concurrency: true },
  () => {
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
            const asked = checkout(change);
            const request = keyed();
            await counter(mortal(workIn(shop, orders.store), { line, when }))
              .place(asked, request, soon())
              .catch(() => undefined);
            await orders.lapse(request);
            const order = await counter(workIn(shop, orders.replica)).place(asked, request, soon());
            assert.equal(order.state, name === 'approved' ? 'CONFIRMED' : 'FAILED');
            assertSettled(shop, order);
            assert.equal((await orders.placedUnder(request)).length, 1);
          });
        }
      }
    }
    for (let line = 1; line <= 5; line += 1) {
      for (const when of ['before', 'after'] as const) {
        test(`cancellation of a paid order, crash ${when} effect ${line}`, async () => {
          const shop = new Shop();
          const request = keyed();
          const order = await counter(workIn(shop, orders.store)).place(checkout(), request, soon());
          await cancel(order, '', mortal(workIn(shop, orders.store), { line, when })).catch(() => undefined);
          await orders.lapse(request);
          const found = await orders.store.find(order.orderId);
          assert.ok(found !== undefined);
          const cancelled = await cancel(found, '', workIn(shop, orders.replica));
          assert.equal(cancelled.state, 'CANCELLED');
          assertSettled(shop, cancelled);
        });
      }
    }
  },
);

test('a COMMIT whose answer was lost is read again, never compensated', async () => {
  const shop = new Shop();
  const lost: OrderStore = {
    ...orders.store,
    confirm: async (order) => {
      await orders.store.confirm(order);
      throw new StatusError(status.UNAVAILABLE, 'connection terminated');
    },
  };
  const order = await counter(workIn(shop, lost)).place(checkout(), keyed(), soon());
  assert.equal(order.state, 'CONFIRMED');
  assertSettled(shop, order);
});

function refusing(call: Call, reason: string): (shop: Shop) => undefined {
  const code = reason === 'PRODUCT_NOT_FOUND' ? status.NOT_FOUND : status.FAILED_PRECONDITION;
  return (shop) => void (shop.refuse = { [call]: new StatusError(code, 'no', { reason }) });
}
