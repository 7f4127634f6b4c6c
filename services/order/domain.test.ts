/** States of an order, and what its purchase says for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cancellation, enter, freesKey, mayEnter, purchaseOutcome, refundable } from './domain.ts';
import type { Ending, Order, State } from './domain.ts';

const STATES: State[] = ['PENDING', 'CONFIRMED', 'FAILED', 'CANCELLED', 'REFUNDED'];
const ENDING: Ending = {
  state: 'CANCELLED',
  reason: 'ORDER_CANCELLED',
  message: 'changed mind',
  metadata: {},
};
const state = fc.constantFrom(...STATES);

test('every walk along allowed edges starts PENDING, enters no state twice and keeps its history', () => {
  fc.assert(
    fc.property(fc.array(state, { maxLength: 8 }), (wishes) => {
      const walked = walk(wishes);
      const states = walked.history.map((each) => each.state);
      assert.equal(states[0], 'PENDING');
      assert.equal(states.at(-1), walked.state);
      assert.equal(new Set(states).size, states.length);
      for (const [index, to] of states.entries()) {
        const from = states[index - 1];
        if (from !== undefined) assert.ok(mayEnter(from, to));
      }
    }),
  );
});

test('an edge that is not declared is a defect', () => {
  const failed = enter(pending(), at('FAILED', 1));
  for (const to of STATES) assert.throws(() => enter(failed, at(to, 2)));
});

test('the outcome of a purchase is the same whatever becomes of the order afterwards', () => {
  const confirmed = enter(pending(), at('CONFIRMED', 1));
  const outcome = purchaseOutcome(confirmed);
  assert.deepEqual(outcome, { order: confirmed });
  const refunded = { ...confirmed, amountRefunded: 5n, updateTime: new Date(2) };
  const cancelled = enter({ ...confirmed, ending: ENDING, amountRefunded: 10n }, at('CANCELLED', 3));
  assert.deepEqual(purchaseOutcome(refunded), outcome);
  assert.deepEqual(purchaseOutcome(enter(refunded, at('REFUNDED', 3))), outcome);
  const { order } = purchaseOutcome(cancelled) as { order: Order };
  assert.deepEqual({ ...order, ending: undefined }, confirmed);
});

test('a purchase that came to nothing says why and names its order', () => {
  const cancelled = enter({ ...pending(), ending: ENDING }, at('CANCELLED', 1));
  assert.deepEqual(purchaseOutcome(cancelled), {
    refusal: { reason: 'ORDER_CANCELLED', message: 'changed mind', metadata: { order_id: 'order-1' } },
  });
  const stock: Ending = { ...ENDING, state: 'FAILED', reason: 'OUT_OF_STOCK', metadata: { product_id: 'p' } };
  const failed = purchaseOutcome(enter({ ...pending(), ending: stock }, at('FAILED', 1)));
  assert.deepEqual('refusal' in failed && failed.refusal.metadata, { product_id: 'p', order_id: 'order-1' });
});

test('a request at fault does not burn its key, a refused purchase does', () => {
  assert.equal(freesKey({ ...ENDING, reason: 'PRODUCT_NOT_FOUND' }), true);
  assert.equal(freesKey({ ...ENDING, reason: 'PAYMENT_TOKEN_UNKNOWN' }), true);
  assert.equal(freesKey({ ...ENDING, reason: 'OUT_OF_STOCK' }), false);
  assert.equal(freesKey({ ...ENDING, reason: 'PAYMENT_DECLINED' }), false);
});

const FAILING: Ending = { ...ENDING, state: 'FAILED', reason: 'INTERRUPTED' };
const CASES: [string, Order, ReturnType<typeof cancellation>, boolean][] = [
  ['pending', pending(), 'undo', false],
  ['pending and being undone', { ...pending(), ending: FAILING }, 'finish', false],
  ['confirmed', { ...pending(), state: 'CONFIRMED' }, 'undo', true],
  ['confirmed and being cancelled', { ...pending(), state: 'CONFIRMED', ending: ENDING }, 'finish', false],
  ['failed', { ...pending(), state: 'FAILED', ending: FAILING }, 'refuse', false],
  ['cancelled', { ...pending(), state: 'CANCELLED', ending: ENDING }, 'done', false],
  ['refunded', { ...pending(), state: 'REFUNDED' }, 'refuse', true],
];
for (const [name, order, cancel, refund] of CASES) {
  test(`an order that is ${name}: cancelling is "${cancel}", refunding ${refund}`, () => {
    assert.equal(cancellation(order), cancel);
    assert.equal(refundable(order), refund);
  });
}

function walk(wishes: readonly State[]): Order {
  return wishes.reduce(
    (order, wish, index) => (mayEnter(order.state, wish) ? enter(order, at(wish, index + 1)) : order),
    pending(),
  );
}

function at(state: State, ms: number): Order['history'][number] {
  return { state, time: new Date(ms), note: '' };
}

function pending(): Order {
  return {
    orderId: 'order-1',
    customerId: 'alice',
    lines: [],
    total: { currencyCode: 'USD', minorUnits: 10n },
    amountRefunded: 0n,
    state: 'PENDING',
    ending: undefined,
    paymentId: 'payment-1',
    createTime: new Date(0),
    updateTime: new Date(0),
    history: [at('PENDING', 0)],
    fence: 1,
  };
}
