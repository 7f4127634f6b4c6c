/** The rules of charges and refunds hold for every amount and every course of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decideRefund, isOpen, isSameCharge, pauseAfter, paymentState, REPLACES } from './domain.ts';
import type { Charged } from './domain.ts';

function payment(changes: Partial<Charged> = {}): Charged {
  return {
    state: 'SUCCEEDED',
    customerId: 'alice',
    currencyCode: 'USD',
    amountMinor: 100n,
    refundClaimedMinor: 0n,
    refundedMinor: 0n,
    tokenDigest: 'd',
    undone: false,
    ...changes,
  };
}

test('whatever is asked for, and in which order, refunds never exceed the capture', () => {
  const amounts = fc.array(fc.option(fc.bigInt({ min: 1n, max: 80n }), { nil: undefined }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 200n }), amounts, (captured, asked) => {
      const stored = payment({ amountMinor: captured });
      for (const each of asked) {
        const decision = decideRefund(
          stored,
          each === undefined ? undefined : { currencyCode: 'USD', minorUnits: each },
        );
        if ('amount' in decision) stored.refundClaimedMinor += decision.amount;
        assert.ok(stored.refundClaimedMinor <= captured);
      }
    }),
  );
});

test('a refund without an amount returns all that is left, and nothing twice', () => {
  assert.deepEqual(decideRefund(payment({ refundClaimedMinor: 30n }), undefined), { amount: 70n });
  assert.deepEqual(decideRefund(payment({ refundClaimedMinor: 100n }), undefined), {
    refusal: 'REFUND_EXCEEDS_CAPTURE',
    left: 0n,
  });
});

test('what was not captured cannot be refunded, nor in another currency', () => {
  for (const state of ['PENDING', 'UNDER_REVIEW', 'DECLINED'] as const) {
    const decision = decideRefund(payment({ state }), { currencyCode: 'USD', minorUnits: 1n });
    assert.deepEqual(decision, { refusal: 'REFUND_EXCEEDS_CAPTURE', left: 0n });
  }
  assert.deepEqual(decideRefund(payment(), { currencyCode: 'EUR', minorUnits: 1n }), {
    refusal: 'CURRENCY_MISMATCH',
  });
});

test('to return all of a charge that is open, or undone, is to undo it', () => {
  for (const state of ['PENDING', 'UNDER_REVIEW'] as const)
    assert.deepEqual(decideRefund(payment({ state }), undefined), { undo: true });
  const captured = payment({ undone: true, refundClaimedMinor: 100n });
  assert.deepEqual(decideRefund(captured, undefined), { undo: true });
  assert.deepEqual(decideRefund(captured, { currencyCode: 'USD', minorUnits: 1n }), {
    refusal: 'REFUND_EXCEEDS_CAPTURE',
    left: 0n,
  });
});

test('an unfinished payment is looked at ever more seldom, and never given up but for a barred one', () => {
  const pauses = (changes: Partial<Charged> & { transactionId?: string }) =>
    [1, 2, 6, 7, 10, 2_000].map((look) =>
      pauseAfter(look, { transactionId: '', ...payment(changes), ...changes }),
    );
  const owed = [1_000, 2_000, 32_000, 60_000, 60_000, 60_000];
  assert.deepEqual(pauses({ state: 'PENDING' }), owed);
  assert.deepEqual(pauses({ refundClaimedMinor: 100n }), owed);
  assert.deepEqual(pauses({ state: 'BARRED' }), [...owed.slice(0, 4), undefined, undefined]);
  assert.deepEqual(pauses({ state: 'UNDER_REVIEW', transactionId: 'ch', undone: true }), owed);
  for (const state of ['SUCCEEDED', 'DECLINED'] as const) assert.equal(pauses({ state })[0], undefined);
  const held = [60_000, 120_000, 1_920_000, 3_600_000, 3_600_000, 3_600_000];
  assert.deepEqual(pauses({ state: 'UNDER_REVIEW', transactionId: 'ch' }), held);
});

test('a final outcome is never replaced', () => {
  for (const from of Object.values(REPLACES).flat()) assert.ok(isOpen(from), from);
});

test('a repetition is the same charge only when customer, amount, currency and token are the same', () => {
  const amount = { currencyCode: 'USD', minorUnits: 100n };
  const demand = { customerId: 'alice', amount, tokenDigest: 'd' };
  assert.ok(isSameCharge(payment(), demand));
  assert.ok(!isSameCharge(payment(), { ...demand, customerId: 'bob' }));
  assert.ok(!isSameCharge(payment(), { ...demand, tokenDigest: 'e' }));
  assert.ok(!isSameCharge(payment(), { ...demand, amount: { ...amount, minorUnits: 101n } }));
  assert.ok(!isSameCharge(payment(), { ...demand, amount: { ...amount, currencyCode: 'EUR' } }));
});

test('a customer sees how much of a captured payment went back', () => {
  assert.equal(paymentState(payment({ refundClaimedMinor: 40n })), 'SUCCEEDED');
  assert.equal(paymentState(payment({ refundedMinor: 40n })), 'PARTIALLY_REFUNDED');
  assert.equal(paymentState(payment({ refundedMinor: 100n })), 'REFUNDED');
  assert.equal(paymentState(payment({ state: 'DECLINED' })), 'DECLINED');
});
