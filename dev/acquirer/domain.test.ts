/** The acquirer's rules without any I/O: keys, refunds and voids, by example and by property. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decideCharge, decideRefund, decideSettlement, decideVoid, emptyBook, post } from './domain.ts';
import type { Book, Entry } from './domain.ts';
import { courseOf } from './payment-tokens.ts';
import { Refused } from './refused.ts';

const now = new Date('2026-11-23T12:00:00Z');

function charge(
  book: Book,
  token: string,
  request: { key?: string; amount?: string; fingerprint?: string } = {},
) {
  const course = courseOf(token);
  assert.ok(course);
  const { key = 'k', amount = '100', fingerprint = 'f' } = request;
  const facts = { key, fingerprint, amount, currency: 'USD', orderId: `order-${key}` };
  return carryOut(book, decideCharge(book, facts, { course, id: `ch-${key}`, now }));
}

function refund(book: Book, key: string, amount: string): Entry | undefined {
  const request = { key, fingerprint: amount, chargeId: 'ch-k', amount };
  return carryOut(book, decideRefund(book, request, { id: `re-${key}`, now }));
}

function carryOut(book: Book, entry: Entry | undefined): Entry | undefined {
  if (entry !== undefined) post(book, entry);
  return entry;
}

const why = (refusal: string) => (error: unknown) => error instanceof Refused && error.why === refusal;

for (const [token, brand, last4] of [
  ['tok_visa', 'visa', '4242'],
  ['tok_mastercard', 'mastercard', '4444'],
] as const) {
  test(`${token} is captured at once`, () => {
    const book = emptyBook();
    charge(book, token);
    const { status, cardBrand, cardLast4 } = book.charges.get('ch-k') ?? {};
    assert.deepEqual(
      { status, cardBrand, cardLast4 },
      { status: 'succeeded', cardBrand: brand, cardLast4: last4 },
    );
    assert.deepEqual(book.movements, [
      {
        kind: 'capture',
        amount: '100',
        currency: 'USD',
        orderId: 'order-k',
        key: 'k',
        time: now.toISOString(),
      },
    ]);
  });
}

for (const [token, reason] of [
  ['tok_declined', 'card_declined'],
  ['tok_insufficient_funds', 'insufficient_funds'],
  ['tok_expired_card', 'expired_card'],
] as const) {
  test(`${token} is declined with ${reason} and moves no money`, () => {
    const book = emptyBook();
    charge(book, token);
    assert.equal(book.charges.get('ch-k')?.status, 'declined');
    assert.equal(book.charges.get('ch-k')?.declineReason, reason);
    assert.deepEqual(book.movements, []);
    assert.throws(() => refund(book, 'r', '1'), why('refund_exceeds_capture'));
    assert.throws(() => decideVoid(book, 'ch-k', now), why('charge_not_voidable'));
  });
}

test('a pending charge is captured once, and not after it was voided', () => {
  const book = emptyBook();
  charge(book, 'tok_async');
  charge(book, 'tok_slow', { key: 'slow' });
  assert.equal(book.charges.get('ch-k')?.dueTime, '2026-11-23T12:00:02.000Z');
  assert.equal(book.charges.get('ch-slow')?.dueTime, '2026-11-23T12:00:03.000Z');
  assert.deepEqual(book.movements, []);
  carryOut(book, decideSettlement(book, 'ch-k', now));
  assert.equal(decideSettlement(book, 'ch-k', now), undefined);
  carryOut(book, decideVoid(book, 'ch-slow', now));
  assert.equal(decideSettlement(book, 'ch-slow', now), undefined);
  assert.deepEqual(
    book.movements.map(({ key }) => key),
    ['k', 'slow'],
  );
});

test('a charge under review waits until it is voided', () => {
  const book = emptyBook();
  charge(book, 'tok_review');
  assert.equal(decideSettlement(book, 'ch-k', now), undefined);
  carryOut(book, decideVoid(book, 'ch-k', now));
  assert.equal(decideVoid(book, 'ch-k', now), undefined);
  assert.equal(book.charges.get('ch-k')?.status, 'voided');
  assert.deepEqual(kinds(book), ['void 0']);
});

test('what was captured is not voided, and what was voided is not refunded', () => {
  const book = emptyBook();
  charge(book, 'tok_visa');
  assert.throws(() => decideVoid(book, 'ch-k', now), why('charge_not_voidable'));
  const voided = emptyBook();
  charge(voided, 'tok_async');
  carryOut(voided, decideVoid(voided, 'ch-k', now));
  assert.throws(() => refund(voided, 'r', '1'), why('refund_exceeds_capture'));
  assert.deepEqual([kinds(book), kinds(voided)], [['capture 100'], ['void 0']]);
});

test('a key does one thing: the same request again does nothing, another one is refused', () => {
  const book = emptyBook();
  charge(book, 'tok_visa');
  assert.equal(charge(book, 'tok_visa'), undefined);
  assert.throws(() => charge(book, 'tok_visa', { fingerprint: 'other' }), why('key_reused'));
  refund(book, 'r', '30');
  assert.equal(refund(book, 'r', '30'), undefined);
  assert.throws(() => refund(book, 'r', '31'), why('key_reused'));
  assert.equal(book.movements.length, 2);
});

test('an unknown charge is neither refunded nor voided', () => {
  assert.throws(() => refund(emptyBook(), 'r', '1'), why('charge_unknown'));
  assert.throws(() => decideVoid(emptyBook(), 'ch-x', now), why('charge_unknown'));
});

test('whatever is asked in whatever order, no charge gives back more than it took, nor is voided and captured', () => {
  const act = fc.record({ key: fc.integer({ min: 0, max: 9 }), amount: fc.integer({ min: 1, max: 120 }) });
  const time = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), time, time, (acts, voidAt, settleAt) => {
      const book = emptyBook();
      charge(book, 'tok_async');
      for (const [index, { key, amount }] of acts.entries()) {
        try {
          if (index === settleAt) carryOut(book, decideSettlement(book, 'ch-k', now));
          if (index === voidAt) carryOut(book, decideVoid(book, 'ch-k', now));
          refund(book, `r${key}`, String(amount));
        } catch (error) {
          assert.ok(error instanceof Refused);
        }
        assert.ok(net(book) >= 0n);
        assert.ok(book.movements.filter(({ kind }) => kind !== 'refund').length <= 1);
      }
    }),
  );
});

test('a book written down and read again says the same', () => {
  const tokens = ['tok_visa', 'tok_declined', 'tok_review', 'tok_async', 'tok_timeout_after_capture'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 20 }), (chosen) => {
      const book = emptyBook();
      const entries = chosen.map((token, index) => charge(book, token, { key: `${index}` }));
      const again = emptyBook();
      for (const entry of JSON.parse(JSON.stringify(entries)) as Entry[]) post(again, entry);
      assert.deepEqual(again, book);
    }),
  );
});

function kinds({ movements }: Book): string[] {
  return movements.map(({ kind, amount }) => `${kind} ${amount}`);
}

function net({ movements }: Book): bigint {
  const signed = movements
    .filter(({ kind }) => kind !== 'void')
    .map(({ kind, amount }) => (kind === 'capture' ? BigInt(amount) : -BigInt(amount)));
  return signed.reduce((sum, amount) => sum + amount, 0n);
}
