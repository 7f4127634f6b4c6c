/** What the real acquirer tells by its events, and does when it is asked to void. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { takeAcquirerEvent } from './acquirer-event.ts';
import { receiveEvents, startAcquirerProcess } from './acquirer-process.fixture.ts';
import type { Delivery } from './acquirer-process.fixture.ts';
import { chargeOrder } from './charge.ts';
import { paymentState } from './domain.ts';
import { entities } from './entities.ts';
import type { StoredPayment } from './entities.ts';
import { migrations } from './migrations.ts';
import { recoverDue } from './recovery.ts';
import { recoveryQueue } from './recovery-queue.ts';
import { refundPayment } from './refund.ts';
import type { Limits } from './settle.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';
import { paymentStore } from './store.ts';

const EVENT_SECRET = 'a secret of the tests';

const database = await (await createTestDatabase({ entities, migrations })).open();
const queue = recoveryQueue(database);
const deliveries: Delivery[] = [];
let wakes = 0;
const url = await startAcquirerProcess({ url: await receiveEvents(take), secret: EVENT_SECRET });
const dependencies = {
  queue,
  store: paymentStore(database),
  acquirer: simulatorAcquirer({ url, timeout: () => 2_000 }),
  log: pino({ level: 'silent' }),
};

test('an approval that comes later is heard of by its event alone, and each event once', async () => {
  const orderId = await charged('tok_async');
  await recoverDue(dependencies, limits().signal);
  assert.equal((await find(orderId)).state, 'PENDING');
  await until(async () => {
    await recoverDue(dependencies, limits().signal);
    return (await find(orderId)).state === 'SUCCEEDED';
  });
  const before = wakes;
  assert.ok(deliveries.length > 0);
  const again = deliveries.slice();
  for (const delivery of again) await take(delivery);
  assert.equal(wakes, before);
});

test('an event that lies about its charge changes nothing: the acquirer itself is asked', async () => {
  const orderId = await charged('tok_review');
  const lie = { id: randomUUID(), orderId };
  assert.deepEqual([await queue.takeEvent(lie), await queue.takeEvent(lie)], [true, false]);
  await recoverDue(dependencies, limits().signal);
  assert.equal((await find(orderId)).state, 'UNDER_REVIEW');
});

test('one event delivered ten times at once counts once', async () => {
  const event = { id: randomUUID(), orderId: randomUUID() };
  const taken = await Promise.all(Array.from({ length: 10 }, () => queue.takeEvent(event)));
  assert.equal(taken.filter(Boolean).length, 1);
});

test('voids and captures that meet at the acquirer exclude each other, and no money is held', async () => {
  const orders = await Promise.all(
    Array.from({ length: 24 }, async (_, index) => {
      const orderId = await charged('tok_async');
      // The acquirer decides after 2 s: some undos come before, some after, and most about then.
      await new Promise((resolve) => setTimeout(resolve, 1_800 + 16 * index));
      const request = { orderId, requestId: 'reverse', reason: '' };
      return refundPayment(dependencies, request, limits());
    }),
  );
  const answer = await fetch(`${url}/ledger`, { signal: limits().signal });
  const { entries } = (await answer.json()) as { entries: { kind: string; orderId: string }[] };
  const outcomes = orders.map((payment) => {
    const kinds = entries.filter((entry) => entry.orderId === payment.orderId).map(({ kind }) => kind);
    return `${paymentState(payment)} ${kinds.join(' ')}`;
  });
  assert.deepEqual(new Set(outcomes), new Set(['DECLINED void', 'REFUNDED capture refund']));
});

async function take(delivery: Delivery): Promise<void> {
  deliveries.push(delivery);
  const options = { queue, eventSecret: EVENT_SECRET, clock: () => new Date(), wake: () => (wakes += 1) };
  await takeAcquirerEvent(options, delivery);
}

async function charged(token: string): Promise<string> {
  const orderId = randomUUID();
  const amount = { currencyCode: 'USD', minorUnits: 4_200n };
  await chargeOrder(dependencies, { orderId, customerId: 'alice', amount, token }, limits());
  return orderId;
}

async function find(orderId: string): Promise<StoredPayment> {
  const payment = await dependencies.store.findByOrder(orderId);
  assert.ok(payment !== undefined);
  return payment;
}

function limits(): Limits {
  return { deadline: new Date(Date.now() + 10_000), signal: AbortSignal.timeout(10_000) };
}

/** Asks every 50 ms, for ten seconds at most. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let asked = 0; asked < 200; asked += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it never came true');
}
