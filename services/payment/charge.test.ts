/** An order is charged once, whatever the network and the acquirer do in between. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { startTestAcquirer } from './acquirer.fixture.ts';
import { chargeOrder, resolveCharge } from './charge.ts';
import type { ChargeRequest } from './charge.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import type { Limits } from './settle.ts';
import type { StoredPayment } from './entities.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';
import { paymentStore } from './store.ts';

const database = await (await createTestDatabase({ entities, migrations })).open();
const bank = await startTestAcquirer();
const dependencies = {
  store: paymentStore(database),
  acquirer: simulatorAcquirer({ url: bank.url, timeout: () => 300 }),
  log: pino({ level: 'silent' }),
};

test('an approved charge is captured once, and a repetition answers it without asking again', async () => {
  const request = order();
  const payment = await charge(request);
  assert.equal(payment.state, 'SUCCEEDED');
  assert.deepEqual([payment.cardBrand, payment.cardLast4], ['visa', '4242']);
  const asked = bank.requests.length;
  const again = await charge(request);
  assert.equal(again.paymentId, payment.paymentId);
  assert.equal(bank.requests.length, asked);
  assert.equal(captures(request), 1);
});

test('a decline is an outcome, with its reason', async () => {
  const payment = await charge(order({ token: 'tok_declined' }));
  assert.deepEqual([payment.state, payment.failureReason], ['DECLINED', 'card_declined']);
});

test('concurrent requests for one order capture once and agree', async () => {
  const request = order();
  const payments = await Promise.all(Array.from({ length: 10 }, () => charge(request)));
  assert.equal(new Set(payments.map((each) => each.paymentId)).size, 1);
  assert.deepEqual(new Set(payments.map((each) => each.state)), new Set(['SUCCEEDED']));
  assert.equal(captures(request), 1);
});

test('a repetition with another amount, token or customer is refused', async () => {
  const request = order();
  await charge(request);
  const other = { currencyCode: 'USD', minorUnits: 1n };
  for (const change of [{ amount: other }, { token: 'tok_declined' }, { customerId: 'bob' }]) {
    await assert.rejects(charge({ ...request, ...change }), reason('CHARGE_MISMATCH'));
  }
});

test('an unknown token is refused and leaves no row', async () => {
  const request = order({ token: 'tok_nothing' });
  await assert.rejects(charge(request), reason('PAYMENT_TOKEN_UNKNOWN'));
  assert.equal(await dependencies.store.findByOrder(request.orderId), undefined);
});

test('503 twice, and then an approval: one capture', async () => {
  const request = order();
  bank.faults.push('unavailable', 'unavailable');
  assert.equal((await charge(request)).state, 'SUCCEEDED');
  assert.equal(captures(request), 1);
});

for (const fault of ['reset_after_work', 'no_answer_after_work'] as const) {
  test(`a lost answer (${fault}) is asked for by the key, not charged again`, async () => {
    const request = order();
    bank.faults.push(fault);
    assert.equal((await charge(request)).state, 'SUCCEEDED');
    assert.equal(captures(request), 1);
    assert.equal(attempts(request), 1);
  });
}

test('a request that never arrived is sent again with its key', async () => {
  const request = order();
  bank.faults.push('reset');
  assert.equal((await charge(request)).state, 'SUCCEEDED');
  assert.equal(attempts(request), 2);
});

test('an acquirer that stays silent leaves the payment pending, and resolving finishes it', async () => {
  const request = order();
  bank.faults.push('no_answer_after_work', ...Array.from({ length: 5 }, () => 'unavailable' as const));
  await assert.rejects(charge(request), reason('ACQUIRER_UNAVAILABLE'));
  assert.equal((await dependencies.store.findByOrder(request.orderId))?.state, 'PENDING');
  assert.equal((await resolveCharge(dependencies, request.orderId, limits())).state, 'SUCCEEDED');
  assert.equal(captures(request), 1);
});

test('an outcome that cannot be recorded is open, not refused', async () => {
  const request = order();
  const settle = () =>
    Promise.reject(new StatusError(status.INVALID_ARGUMENT, 'bad text', { reason: 'INVALID_FIELD' }));
  const store = { ...dependencies.store, settle };
  await assert.rejects(
    chargeOrder({ ...dependencies, store }, request, limits()),
    (error: unknown) => error instanceof StatusError && error.code === status.UNAVAILABLE,
  );
  assert.equal((await resolveCharge(dependencies, request.orderId, limits())).state, 'SUCCEEDED');
});

test('a deadline that passes leaves the payment pending', async () => {
  const request = order();
  bank.faults.push('no_answer_after_work');
  const signal = AbortSignal.timeout(100);
  await assert.rejects(
    chargeOrder(dependencies, request, { ...limits(), signal }),
    (error: unknown) => error instanceof StatusError && error.code === status.DEADLINE_EXCEEDED,
  );
  assert.equal((await dependencies.store.findByOrder(request.orderId))?.state, 'PENDING');
  assert.equal((await charge(request)).state, 'SUCCEEDED');
  assert.equal(captures(request), 1);
});

test('an outcome that takes its time is answered as it stands', async () => {
  assert.equal((await charge(order({ token: 'tok_async' }))).state, 'PENDING');
  const request = order({ token: 'tok_review' });
  assert.equal((await charge(request)).state, 'UNDER_REVIEW');
  assert.equal((await resolveCharge(dependencies, request.orderId, limits())).state, 'UNDER_REVIEW');
});

test('resolving an order that was never charged bars it', async () => {
  const request = order();
  await assert.rejects(resolveCharge(dependencies, request.orderId, limits()), reason('CHARGE_NOT_FOUND'));
  await assert.rejects(resolveCharge(dependencies, request.orderId, limits()), reason('CHARGE_NOT_FOUND'));
  await assert.rejects(charge(request), reason('CHARGE_BARRED'));
  assert.equal(captures(request), 0);
});

test('a charge that may still reach the acquirer is not barred; one that no longer can is', async () => {
  const request = order();
  const demand = { ...request, tokenDigest: 'd' };
  await dependencies.store.begin({ ...demand, window: 60_000 });
  await assert.rejects(resolveCharge(dependencies, request.orderId, limits()), reason('CHARGE_IN_PROGRESS'));
  const crashed = order();
  await dependencies.store.begin({ ...crashed, tokenDigest: 'd', window: -1 });
  await assert.rejects(resolveCharge(dependencies, crashed.orderId, limits()), reason('CHARGE_NOT_FOUND'));
  assert.equal(await dependencies.store.extend(crashed.orderId, 60_000), false);
});

test('charging and resolving one order at once end in one truth', async () => {
  const orders = Array.from({ length: 20 }, () => order());
  await Promise.allSettled(
    orders.flatMap((request) => [charge(request), resolveCharge(dependencies, request.orderId, limits())]),
  );
  for (const request of orders) {
    const stored = await dependencies.store.findByOrder(request.orderId);
    assert.equal(stored?.state, captures(request) === 1 ? 'SUCCEEDED' : 'BARRED');
  }
});

test('every capture stands once in the ledger, with the amount of its payment', async () => {
  const [counts] = await database.em().execute<{ payments: number; entries: number }[]>(
    `select (select count(*)::integer from payment where state = 'SUCCEEDED') as payments,
       (select count(*)::integer from payment_ledger join payment using (payment_id)
        where kind = 'CAPTURE' and payment_ledger.amount_minor = payment.amount_minor) as entries`,
  );
  assert.ok(counts !== undefined && counts.payments > 0);
  assert.equal(counts.payments, counts.entries);
  assert.equal(counts.entries, bank.ledger.length);
});

test('the app role cannot rewrite the ledger', async () => {
  for (const statement of ['update payment_ledger set amount_minor = 1', 'delete from payment_ledger']) {
    await assert.rejects(database.em().execute(statement), /permission denied/u);
  }
});

function order(changes: Partial<ChargeRequest> = {}): ChargeRequest {
  const amount = { currencyCode: 'USD', minorUnits: 4_200n };
  return { orderId: randomUUID(), customerId: 'alice', amount, token: 'tok_visa', ...changes };
}

function charge(request: ChargeRequest): Promise<StoredPayment> {
  return chargeOrder(dependencies, request, limits());
}

function limits(): Limits {
  return { deadline: new Date(Date.now() + 10_000), signal: AbortSignal.timeout(10_000) };
}

function captures({ orderId }: ChargeRequest): number {
  return bank.ledger.filter((entry) => entry.kind === 'capture' && entry.orderId === orderId).length;
}

function attempts({ orderId }: ChargeRequest): number {
  const key = `charge-${orderId}`;
  return bank.requests.filter((request) => request.headers['idempotency-key'] === key).length;
}

function reason(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof StatusError && error.reason === expected;
}
