/** Money goes back once per request, and never more than was captured. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { startTestAcquirer } from './acquirer.fixture.ts';
import { chargeOrder } from './charge.ts';
import type { Limits } from './settle.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { paymentState } from './domain.ts';
import type { StoredPayment } from './entities.ts';
import { refundPayment } from './refund.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';
import { paymentStore } from './store.ts';
import type { NewRefund } from './store.ts';

const database = await (await createTestDatabase({ entities, migrations })).open();
const bank = await startTestAcquirer();
const dependencies = {
  store: paymentStore(database),
  acquirer: simulatorAcquirer({ url: bank.url, timeout: () => 300 }),
  log: pino({ level: 'silent' }),
};

test('refunds in parts add up to the capture, and the rest goes back without an amount', async () => {
  const orderId = await captured(100n);
  const first = await refund({ orderId, amount: usd(30n) });
  assert.deepEqual([paymentState(first), first.refundedMinor], ['PARTIALLY_REFUNDED', 30n]);
  const rest = await refund({ orderId });
  assert.deepEqual([paymentState(rest), rest.refundedMinor], ['REFUNDED', 100n]);
  assert.deepEqual(
    rest.refunds.map((each) => [each.state, each.amountMinor]),
    [
      ['SUCCEEDED', 30n],
      ['SUCCEEDED', 70n],
    ],
  );
  await assert.rejects(refund({ orderId }), reason('REFUND_EXCEEDS_CAPTURE'));
});

test('a storm of refunds never returns more than was captured', async () => {
  const orderId = await captured(100n);
  const storm = await Promise.allSettled(
    Array.from({ length: 20 }, () => refund({ orderId, amount: usd(15n) })),
  );
  assert.equal(storm.filter((each) => each.status === 'fulfilled').length, 6);
  for (const each of storm) {
    if (each.status === 'rejected') assert.ok(reason('REFUND_EXCEEDS_CAPTURE')(each.reason));
  }
  assert.equal((await dependencies.store.findByOrder(orderId))?.refundedMinor, 90n);
  assert.equal(returned(orderId).length, 6);
});

test('one request, many times at once, returns the money once', async () => {
  const orderId = await captured(100n);
  const request = { orderId, requestId: randomUUID(), amount: usd(40n) };
  const answers = await Promise.all(Array.from({ length: 10 }, () => refund(request)));
  for (const each of answers) assert.equal(each.refundedMinor, 40n);
  assert.equal(returned(orderId).length, 1);
  await assert.rejects(refund({ ...request, amount: usd(41n) }), reason('REFUND_MISMATCH'));
});

test('a refund whose answer is lost is finished by the same request, and claims its amount meanwhile', async () => {
  const orderId = await captured(100n);
  const request = { orderId, requestId: randomUUID(), amount: usd(80n) };
  bank.faults.push('no_answer_after_work', ...Array.from({ length: 5 }, () => 'unavailable' as const));
  await assert.rejects(refund(request), reason('ACQUIRER_UNAVAILABLE'));
  await assert.rejects(refund({ orderId, amount: usd(30n) }), reason('REFUND_EXCEEDS_CAPTURE'));
  const pending = await dependencies.store.findByOrder(orderId);
  assert.deepEqual([pending?.refundedMinor, pending?.refunds[0]?.state], [0n, 'PENDING']);
  assert.equal((await refund(request)).refundedMinor, 80n);
  assert.equal(returned(orderId).length, 1);
});

test('a declined charge, an unknown order, another currency and nothing at all are not refunded', async () => {
  const declined = await captured(100n, 'tok_declined');
  await assert.rejects(refund({ orderId: declined }), reason('REFUND_EXCEEDS_CAPTURE'));
  await assert.rejects(refund({ orderId: randomUUID() }), reason('PAYMENT_NOT_FOUND'));
  const orderId = await captured(100n);
  const euro = { currencyCode: 'EUR', minorUnits: 1n };
  await assert.rejects(refund({ orderId, amount: euro }), reason('INVALID_FIELD'));
  await assert.rejects(refund({ orderId, amount: usd(0n) }), reason('INVALID_FIELD'));
});

test('payment rows, refund rows, ledger and acquirer tell the same sums', async () => {
  const breaches = await database.em().execute<unknown[]>(
    `select payment_id from payment
     where refunded_minor <> (select coalesce(sum(amount_minor), 0) from refund
         where refund.payment_id = payment.payment_id and state = 'SUCCEEDED')
       or refund_claimed_minor <> (select coalesce(sum(amount_minor), 0) from refund
         where refund.payment_id = payment.payment_id)
       or refunded_minor <> (select coalesce(sum(amount_minor), 0) from payment_ledger
         where payment_ledger.payment_id = payment.payment_id and kind = 'REFUND')`,
  );
  assert.deepEqual(breaches, []);
  const [sums] = await database
    .em()
    .execute<{ refunded: string }[]>('select sum(refunded_minor)::text as refunded from payment');
  const atBank = bank.ledger.filter((entry) => entry.kind === 'refund');
  assert.equal(sums?.refunded, String(atBank.reduce((sum, entry) => sum + BigInt(entry.amount), 0n)));
});

async function captured(minorUnits: bigint, token = 'tok_visa'): Promise<string> {
  const orderId = randomUUID();
  await chargeOrder(dependencies, { orderId, customerId: 'alice', amount: usd(minorUnits), token }, limits());
  return orderId;
}

function refund(changes: Partial<NewRefund> & { orderId: string }): Promise<StoredPayment> {
  return refundPayment(dependencies, { requestId: randomUUID(), reason: '', ...changes }, limits());
}

function returned(orderId: string): unknown[] {
  return bank.ledger.filter((entry) => entry.kind === 'refund' && entry.orderId === orderId);
}

function usd(minorUnits: bigint): { currencyCode: string; minorUnits: bigint } {
  return { currencyCode: 'USD', minorUnits };
}

function limits(): Limits {
  return { deadline: new Date(Date.now() + 10_000), signal: AbortSignal.timeout(10_000) };
}

function reason(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof StatusError && error.reason === expected;
}
