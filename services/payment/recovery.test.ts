/** What calls leave unfinished is finished by the recovery: by the same keys, once, and not too early. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { armFailpoints } from '#fabric/process/failpoint.ts';
import { startTestAcquirer } from './acquirer.fixture.ts';
import { chargeOrder } from './charge.ts';
import type { ChargeRequest } from './charge.ts';
import { entities } from './entities.ts';
import type { StoredPayment } from './entities.ts';
import { migrations } from './migrations.ts';
import { recoverDue, startRecovery } from './recovery.ts';
import { recoveryQueue } from './recovery-queue.ts';
import { refundPayment } from './refund.ts';
import type { Limits } from './settle.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';
import { paymentStore } from './store.ts';

const schema = await createTestDatabase({ entities, migrations });
const database = await schema.open();
const bank = await startTestAcquirer();
const queue = recoveryQueue(database);
const dependencies = {
  queue,
  store: paymentStore(database),
  acquirer: simulatorAcquirer({ url: bank.url, timeout: () => 300 }),
  log: pino({ level: 'silent' }),
};

test('a charge whose call died is settled by its key, and not charged again', async () => {
  const request = await begun({ charged: true });
  const asked = attempts(request);
  await recover(request);
  assert.equal((await find(request)).state, 'SUCCEEDED');
  assert.deepEqual([attempts(request), await dueIn(request)], [asked, undefined]);
});

const CRASHES: Record<
  string,
  { token: string; work: (request: ChargeRequest) => Promise<unknown>; moved: string[] }
> = {
  after_begin: { token: 'tok_visa', work: charge, moved: [] },
  after_charge: { token: 'tok_visa', work: charge, moved: ['capture'] },
  after_begin_refund: { token: 'tok_visa', work: chargeAndUndo, moved: ['capture', 'refund'] },
  after_refund: { token: 'tok_visa', work: chargeAndUndo, moved: ['capture', 'refund'] },
  after_void: { token: 'tok_review', work: chargeAndUndo, moved: ['void'] },
};

for (const [name, { token, work, moved: expected }] of Object.entries(CRASHES)) {
  test(`a crash ${name} is made good: ${expected.join(' and ') || 'nothing'} in the end`, async () => {
    const request = order(token);
    armFailpoints([{ name: `payment.${name}`, act: 'throw', pass: undefined }], true);
    await assert.rejects(work(request), /failpoint/u);
    armFailpoints([], true);
    await recover(request);
    await recover(request);
    const { state, refundClaimedMinor, refundedMinor } = await find(request);
    const kinds = bank.ledger.filter(({ orderId }) => orderId === request.orderId).map(({ kind }) => kind);
    assert.deepEqual([kinds, refundedMinor], [expected, refundClaimedMinor]);
    const ended = { capture: 'SUCCEEDED', void: 'DECLINED', refund: '', '': 'PENDING' };
    assert.equal(state, ended[kinds[0] ?? '']);
    if (kinds.length > 0) assert.equal(await dueIn(request), undefined);
  });
}

test('a charge that the acquirer never received is left to its order for a minute, then barred', async () => {
  const request = await begun({ charged: false });
  await recover(request);
  assert.equal((await find(request)).state, 'PENDING');
  await schema.asOwner(
    `update payment set charge_until = now() - interval '61 s' where order_id = '${request.orderId}'`,
  );
  await recover(request);
  assert.equal((await find(request)).state, 'BARRED');
  assert.equal(attempts(request), 0);
});

test('what the acquirer has to decide is left to it, and asked after now and then', async () => {
  const request = order('tok_review');
  await charge(request);
  for (const [look, longest] of [60, 120, 240].entries()) {
    await recover(request);
    const due = (await dueIn(request)) ?? 0;
    assert.ok(longest * 0.79 < due && due < longest * 1.21, `look ${look + 1}: ${due} s`);
  }
  assert.equal((await find(request)).state, 'UNDER_REVIEW');
  assert.deepEqual(moved(request, 'void'), []);
  bank.approve(request.orderId);
  await recover(request);
  assert.equal((await find(request)).state, 'SUCCEEDED');
});

test('a refund whose call died is made, once, by however many replicas', async () => {
  const request = order('tok_visa');
  await charge(request);
  await dependencies.store.beginRefund({ orderId: request.orderId, requestId: 'r', reason: '' });
  assert.equal((await find(request)).refunds[0]?.state, 'PENDING');
  await makeDue(request);
  await Promise.all(Array.from({ length: 5 }, () => recoverDue(dependencies, limits().signal)));
  assert.equal((await find(request)).refundedMinor, 4_200n);
  assert.equal(moved(request, 'refund').length, 1);
  assert.equal(await dueIn(request), undefined);
});

test('of several replicas each takes other payments', async () => {
  const requests = await Promise.all(Array.from({ length: 12 }, () => begun({ charged: false })));
  await makeDue(...requests);
  const taken = await Promise.all(Array.from({ length: 6 }, () => queue.take(3, 10_000)));
  const orders = taken.flat().map(({ orderId }) => orderId);
  assert.deepEqual([orders.length, new Set(orders).size], [12, 12]);
});

test('an acquirer that stays away is asked ever more seldom, and the payment counts as stuck', async () => {
  const request = order('tok_visa');
  await charge(request);
  await dependencies.store.beginRefund({ orderId: request.orderId, requestId: 'r', reason: '' });
  const acquirer = simulatorAcquirer({ url: 'http://127.0.0.1:1', timeout: () => 300 });
  const before = await queue.stuck();
  const signal = AbortSignal.timeout(200);
  for (let look = 1; look <= 6; look += 1) {
    await makeDue(request);
    await recoverDue({ ...dependencies, acquirer }, signal.aborted ? AbortSignal.timeout(50) : signal);
  }
  assert.ok(((await dueIn(request)) ?? 0) > 20);
  assert.equal(await queue.stuck(), before + 1);
  await recover(request);
  assert.deepEqual([(await find(request)).refundedMinor, await queue.stuck()], [4_200n, before]);
});

test('what an event tells of while it is being looked at is looked at again', async () => {
  const request = await begun({ charged: false });
  await makeDue(request);
  const taken = await queue.take(1, 10_000);
  assert.deepEqual(taken, [{ orderId: request.orderId, look: 1 }]);
  assert.ok(await queue.takeEvent({ id: randomUUID(), orderId: request.orderId }));
  await queue.putBack({ orderId: request.orderId, look: 1 }, 60_000);
  assert.ok(((await dueIn(request)) ?? 60) <= 0);
});

test('a storm of refunds under an acquirer that fails, with two recoveries at work: every cent once', async () => {
  const requests = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const request = order('tok_visa');
      await charge(request);
      return request;
    }),
  );
  const workers = [dependencies, { ...dependencies, queue: recoveryQueue(await schema.open()) }].map(
    startRecovery,
  );
  after(() => Promise.all(workers.map(({ stop }) => stop())));
  const faults = ['unavailable', 'reset_after_work', 'reset', 'none'] as const;
  bank.faults.push(...Array.from({ length: 80 }, (_, index) => faults[index % 4] ?? 'none'));
  await Promise.allSettled(
    requests.flatMap((request) =>
      Array.from({ length: 12 }, (_, each) =>
        refund(request, { requestId: `r${each % 9}`, minorUnits: 500n }),
      ),
    ),
  );
  bank.faults.length = 0;
  await until(async () => {
    await makeDue(...requests);
    for (const { wake } of workers) wake();
    const payments = await Promise.all(requests.map(find));
    return payments.every(({ refunds }) => [...refunds].every(({ state }) => state === 'SUCCEEDED'));
  });
  for (const request of requests) {
    const { refundedMinor, refundClaimedMinor } = await find(request);
    assert.deepEqual([refundedMinor, refundClaimedMinor], [4_000n, 4_000n]);
    assert.equal(moved(request, 'refund').length, 8);
  }
});

function order(token: string): ChargeRequest {
  const amount = { currencyCode: 'USD', minorUnits: 4_200n };
  return { orderId: randomUUID(), customerId: 'alice', amount, token };
}

/** What a process leaves that dies before, or after, the acquirer heard of its charge. */
async function begun({ charged }: { charged: boolean }): Promise<ChargeRequest> {
  const request = order('tok_visa');
  const { orderId, amount, token } = request;
  await dependencies.store.begin({ ...request, tokenDigest: 'd', window: -1 });
  if (charged)
    await dependencies.acquirer.charge({ key: `charge-${orderId}`, orderId, amount, token }, limits().signal);
  return request;
}

function charge(request: ChargeRequest): Promise<StoredPayment> {
  return chargeOrder(dependencies, request, limits());
}

async function chargeAndUndo(request: ChargeRequest): Promise<void> {
  await charge(request);
  await refundPayment(dependencies, { orderId: request.orderId, requestId: 'r', reason: '' }, limits());
}

function refund(
  { orderId }: ChargeRequest,
  { requestId, minorUnits }: { requestId: string; minorUnits: bigint },
): Promise<StoredPayment> {
  const amount = { currencyCode: 'USD', minorUnits };
  return refundPayment(dependencies, { orderId, requestId, reason: '', amount }, limits());
}

async function find({ orderId }: ChargeRequest): Promise<StoredPayment> {
  const payment = await dependencies.store.findByOrder(orderId);
  assert.ok(payment !== undefined);
  return payment;
}

async function recover(...requests: ChargeRequest[]): Promise<void> {
  await makeDue(...requests);
  await recoverDue(dependencies, limits().signal);
}

/** Lets these come due, if they are unfinished, and all others later. */
async function makeDue(...requests: ChargeRequest[]): Promise<void> {
  const orders = requests.map(({ orderId }) => `'${orderId}'`).join();
  await schema.asOwner(
    `update payment set recover_at = case when order_id in (${orders}) then now() else now() + interval '1 h' end
     where recover_at is not null`,
  );
}

/** In how many seconds a payment will be looked at; undefined when it is finished. */
async function dueIn({ orderId }: ChargeRequest): Promise<number | undefined> {
  const { rows } = await schema.asOwner(
    `select extract(epoch from recover_at - now())::float as due from payment where order_id = '${orderId}'`,
  );
  const due = rows[0]?.['due'];
  return typeof due === 'number' ? due : undefined;
}

function attempts({ orderId }: ChargeRequest): number {
  return bank.requests.filter(({ headers }) => headers['idempotency-key'] === `charge-${orderId}`).length;
}

function moved({ orderId }: ChargeRequest, kind: string): unknown[] {
  return bank.ledger.filter((entry) => entry.kind === kind && entry.orderId === orderId);
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
