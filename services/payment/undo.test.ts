/** An order that is undone holds no money in the end, whatever its charge does meanwhile. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { pino } from 'pino';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { startTestAcquirer } from './acquirer.fixture.ts';
import { chargeOrder, resolveCharge } from './charge.ts';
import type { ChargeRequest } from './charge.ts';
import { paymentState } from './domain.ts';
import { entities } from './entities.ts';
import type { StoredPayment } from './entities.ts';
import { migrations } from './migrations.ts';
import { recoverDue } from './recovery.ts';
import { recoveryQueue } from './recovery-queue.ts';
import { refundPayment } from './refund.ts';
import type { Dependencies, Limits } from './settle.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';
import { paymentStore } from './store.ts';

const AMOUNT = { currencyCode: 'USD', minorUnits: 4_200n };

const schema = await createTestDatabase({ entities, migrations });
const database = await schema.open();
const bank = await startTestAcquirer();
const dependencies = {
  store: paymentStore(database),
  acquirer: simulatorAcquirer({ url: bank.url, timeout: () => 300 }),
  log: pino({ level: 'silent' }),
};

for (const token of ['tok_review', 'tok_async']) {
  test(`a charge that the acquirer has not decided (${token}) is voided, and stays so`, async () => {
    const request = order(token);
    await charge(request);
    for (const requestId of ['reverse', 'reverse', 'another']) {
      const payment = await undo(request, { requestId });
      assert.deepEqual([payment.state, payment.failureReason], ['DECLINED', 'voided']);
      assert.deepEqual([payment.refundedMinor, payment.refunds.length], [0n, 0]);
    }
    bank.approve(request.orderId);
    assert.equal((await resolveCharge(dependencies, request.orderId, limits())).state, 'DECLINED');
    await assert.rejects(charge(request), reason('CHARGE_BARRED'));
    assert.deepEqual(movements(request), ['void 0']);
    assert.deepEqual(await unfinished(request), []);
  });
}

test('a part of what is not captured is not returned, and undoes nothing', async () => {
  const request = order('tok_review');
  await charge(request);
  const part = { currencyCode: 'USD', minorUnits: 1n };
  await assert.rejects(undo(request, { amount: part }), reason('REFUND_EXCEEDS_CAPTURE'));
  assert.equal((await find(request))?.state, 'UNDER_REVIEW');
  assert.deepEqual(movements(request), []);
});

test('a charge that is captured just before the void goes back', async () => {
  const request = order('tok_async');
  await charge(request);
  const acquirer: Dependencies['acquirer'] = {
    ...dependencies.acquirer,
    void: (chargeId, signal) => {
      bank.approve(request.orderId);
      return dependencies.acquirer.void(chargeId, signal);
    },
  };
  const payment = await refundPayment({ ...dependencies, acquirer }, undoing(request), limits());
  assert.deepEqual([paymentState(payment), payment.refundedMinor], ['REFUNDED', 4_200n]);
  assert.deepEqual(movements(request), ['capture 4200', 'refund 4200']);
});

test('a void whose answer is lost happens once', async () => {
  const request = order('tok_review');
  await charge(request);
  bank.faults.push('none', 'reset_after_work');
  assert.equal((await undo(request)).failureReason, 'voided');
  assert.deepEqual(movements(request), ['void 0']);
});

test('undoing and approving at once end in one truth, and no money is held', async () => {
  const orders = Array.from({ length: 20 }, () => order('tok_async'));
  await Promise.all(orders.map(charge));
  const approving = orders.map(async (request, index) => {
    await new Promise((resolve) => setTimeout(resolve, index % 10));
    bank.approve(request.orderId);
  });
  const ended = await Promise.all(orders.flatMap((request) => [undo(request), undo(request)]));
  await Promise.all(approving);
  for (const payment of ended) {
    const expected =
      payment.state === 'DECLINED'
        ? { said: 'DECLINED', moved: ['void 0'] }
        : { said: 'REFUNDED', moved: ['capture 4200', 'refund 4200'] };
    assert.deepEqual({ said: paymentState(payment), moved: movements(payment) }, expected);
  }
});

test('an order that is undone before its charge reaches the acquirer gets its money back from the charge itself', async () => {
  const request = order('tok_visa');
  const acquirer: Dependencies['acquirer'] = {
    ...dependencies.acquirer,
    charge: async (attempt, signal) => {
      await assert.rejects(undo(request), reason('CHARGE_IN_PROGRESS'));
      return dependencies.acquirer.charge(attempt, signal);
    },
  };
  const payment = await chargeOrder({ ...dependencies, acquirer }, request, limits());
  assert.equal(paymentState(payment), 'REFUNDED');
  assert.equal(paymentState(await undo(request)), 'REFUNDED');
  assert.deepEqual(movements(request), ['capture 4200', 'refund 4200']);
});

test('an undo that a crash cut short is finished, also when the charge was approved meanwhile', async () => {
  const [voided, approved] = [order('tok_review'), order('tok_review')];
  for (const request of [voided, approved]) {
    await charge(request);
    await dependencies.store.beginRefund(undoing(request));
  }
  bank.approve(approved.orderId);
  await recover(voided, approved);
  assert.equal((await find(voided))?.failureReason, 'voided');
  assert.equal((await find(approved))?.refundedMinor, 4_200n);
  assert.deepEqual(movements(approved), ['capture 4200', 'refund 4200']);
  assert.deepEqual(await unfinished(approved, voided), []);
});

test('a charge that reaches the acquirer after its order was barred goes back once, seen meanwhile', async () => {
  const request = order('tok_visa');
  await dependencies.store.begin({ ...request, tokenDigest: 'd', window: -1 });
  await assert.rejects(resolveCharge(dependencies, request.orderId, limits()), reason('CHARGE_NOT_FOUND'));
  await arriveLate(request);
  bank.faults.push('none', ...Array.from({ length: 6 }, () => 'unavailable' as const));
  await recover(request);
  const meanwhile = await find(request);
  assert.deepEqual(
    [meanwhile && paymentState(meanwhile), meanwhile?.refunds[0]?.state],
    ['SUCCEEDED', 'PENDING'],
  );
  await Promise.all([recover(request), recover(request), undo(request), undo(request)]);
  const payment = await resolveCharge(dependencies, request.orderId, limits());
  assert.equal(paymentState(payment), 'REFUNDED');
  assert.deepEqual(movements(request), ['capture 4200', 'refund 4200']);
  assert.deepEqual(await unfinished(request), []);
});

test('a charge that reaches the acquirer after its order was barred, and is not decided, is voided', async () => {
  const request = order('tok_review');
  await dependencies.store.begin({ ...request, tokenDigest: 'd', window: -1 });
  await dependencies.store.bar(request.orderId);
  await arriveLate(request);
  await recover(request);
  assert.equal((await find(request))?.state, 'BARRED');
  assert.deepEqual(movements(request), ['void 0']);
});

test('an order that is undone while its token is refused cannot be charged again', async () => {
  const request = order('tok_nothing');
  await dependencies.store.begin({ ...request, tokenDigest: 'd', window: -1 });
  await dependencies.store.beginRefund(undoing(request));
  await dependencies.store.forget(request.orderId);
  await assert.rejects(undo(request), reason('CHARGE_NOT_FOUND'));
  await assert.rejects(charge(order('tok_visa', request.orderId)), reason('CHARGE_BARRED'));
});

test('every capture, void and refund of the acquirer stands in the books, and nothing else', async () => {
  const sums = await database
    .em()
    .execute<{ kind: string; sum: string }[]>(
      `select lower(kind) as kind, sum(amount_minor)::text as sum from payment_ledger group by kind order by kind`,
    );
  for (const { kind, sum } of sums) {
    const entries = bank.ledger.filter((entry) => entry.kind === kind);
    assert.equal(String(entries.reduce((total, { amount }) => total + BigInt(amount), 0n)), sum);
  }
  const voided = bank.ledger.filter(({ kind }) => kind === 'void').map(({ orderId }) => orderId);
  const captured = new Set(
    bank.ledger.filter(({ kind }) => kind === 'capture').map(({ orderId }) => orderId),
  );
  assert.deepEqual([sums.length, voided.filter((orderId) => captured.has(orderId))], [2, []]);
});

function order(token: string, orderId: string = randomUUID()): ChargeRequest {
  return { orderId, customerId: 'alice', amount: AMOUNT, token };
}

function charge(request: ChargeRequest): Promise<StoredPayment> {
  return chargeOrder(dependencies, request, limits());
}

function undoing({ orderId }: { orderId: string }, changes: object = {}) {
  return { orderId, requestId: randomUUID(), reason: '', ...changes };
}

function undo(request: ChargeRequest, changes: object = {}): Promise<StoredPayment> {
  return refundPayment(dependencies, undoing(request, changes), limits());
}

function find({ orderId }: ChargeRequest): Promise<StoredPayment | undefined> {
  return dependencies.store.findByOrder(orderId);
}

/** What a request to charge does that was held up in the network. */
async function arriveLate({ orderId, amount, token }: ChargeRequest): Promise<void> {
  await dependencies.acquirer.charge({ key: `charge-${orderId}`, orderId, amount, token }, limits().signal);
}

/** One round of the recovery, with these orders due and no others. */
async function recover(...requests: ChargeRequest[]): Promise<void> {
  const orders = requests.map(({ orderId }) => `'${orderId}'`).join();
  await schema.asOwner(
    `update payment set recover_at = case when order_id in (${orders}) then now() else now() + interval '1 h' end
     where recover_at is not null`,
  );
  await recoverDue({ ...dependencies, queue: recoveryQueue(database) }, limits().signal);
}

async function unfinished(...requests: ChargeRequest[]): Promise<unknown[]> {
  return database
    .em()
    .execute<unknown[]>('select order_id from payment where recover_at is not null and order_id in (?)', [
      requests.map(({ orderId }) => orderId),
    ]);
}

function movements({ orderId }: { orderId: string }): string[] {
  return bank.ledger
    .filter((entry) => entry.orderId === orderId)
    .map(({ kind, amount }) => `${kind} ${amount}`);
}

function limits(): Limits {
  return { deadline: new Date(Date.now() + 10_000), signal: AbortSignal.timeout(10_000) };
}

function reason(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof StatusError && error.reason === expected;
}
