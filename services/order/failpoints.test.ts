/** Every failpoint of a purchase is reached, and recovery ends the order that failed or hung there. */
import assert from 'node:assert/strict';
import { afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { armFailpoints } from '#fabric/process/failpoint.ts';
import { counter } from './checkout.ts';
import {
  assertSettled,
  checkout,
  keyed,
  openOrders,
  recoveryIn,
  silent,
  workIn,
} from './purchase.fixture.ts';
import type { PurchaseEvents } from './purchase-events.ts';
import type { Orders } from './purchase.fixture.ts';
import { recovery } from './recovery.ts';
import { Shop } from './shop.fixture.ts';

let orders: Orders;

before(async () => {
  orders = await openOrders();
});
afterEach(() => armFailpoints([], false));

const FORWARDS = [
  'order.after_begin',
  ...['reserve', 'price', 'charge', 'commit', 'confirm'].flatMap(around),
];
const BACKWARDS = ['order.after_decide', ...['reverse', 'release'].flatMap(around), 'order.after_end'];

test('a purchase that meets no failpoint finishes', async () => {
  assert.equal((await purchase('tok_visa', { patience: 10_000 })).finished, true);
  assert.equal((await purchase('tok_declined', { patience: 10_000 })).finished, true);
});

for (const [token, names] of [
  ['tok_visa', FORWARDS],
  ['tok_declined', BACKWARDS],
] as const) {
  for (const name of names) {
    for (const act of ['throw', 'hang'] as const) {
      test(`${name}: ${act}`, async () => {
        armFailpoints([{ name, act, pass: undefined }], true);
        const { shop, orderId, finished } = await purchase(token, { patience: 400 });
        armFailpoints([], false);
        assert.equal(finished, false);
        await orders.pass();
        const sweeper = recovery(recoveryIn(shop, orders.replica));
        await sweeper.sweep();
        await sweeper.settled();
        const order = await orders.store.find(orderId);
        assert.ok(order !== undefined && order.state !== 'PENDING');
        assert.equal(
          order.state === 'CONFIRMED',
          token === 'tok_visa' && shop.accounts.get(orderId)?.state === 'captured',
        );
        assertSettled(shop, order);
      });
    }
  }
}

/** A purchase, and whether it came to its last line within so many ms. */
async function purchase(
  paymentToken: string,
  { patience }: { patience: number },
): Promise<{ shop: Shop; orderId: string; finished: boolean }> {
  const shop = new Shop();
  const request = keyed();
  let finished = false;
  const events: PurchaseEvents = {
    ...silent(),
    ended: () => void (finished = true),
    stepped: (name, outcome) => void (finished ||= name === 'confirm' && outcome === 'done'),
  };
  const placing = counter({ ...workIn(shop, orders.store), events })
    .place(checkout({ paymentToken }), request, new Date(Date.now() + patience))
    .catch(() => undefined);
  const over = new AbortController();
  await Promise.race([placing, sleep(patience, undefined, { signal: over.signal }).catch(() => undefined)]);
  over.abort();
  const [orderId = ''] = await orders.placedUnder(request);
  return { shop, orderId, finished };
}

function around(step: string): string[] {
  return [`order.before_${step}`, `order.after_${step}`];
}
