/** What an order costs, by properties. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { agreedTotal, lineTotal, MAX_TOTAL, priced, quote, totalOf } from './pricing.ts';
import type { Offer, PricedLine, Shortage } from './pricing.ts';

const price = fc.bigInt({ min: 1n, max: 1_000_000_000_000n });
const quantity = fc.integer({ min: 1, max: 1000 });
const line = fc.record({ productId: fc.uuid(), displayName: fc.string(), quantity, price });
const basket = fc.uniqueArray(line, { minLength: 1, maxLength: 100, selector: (each) => each.productId });

test('a total is the exact sum of quantity x unit price, or above the limit and refused', () => {
  fc.assert(
    fc.property(basket, (lines) => {
      const exact = lines.reduce((sum, { quantity, price }) => sum + BigInt(quantity) * price, 0n);
      const answer = totalOf(lines.map((each) => usd(each)));
      if (exact > MAX_TOTAL) assert.equal('refusal' in answer && answer.refusal.reason, 'TOTAL_TOO_LARGE');
      else assert.deepEqual(answer, { total: { currencyCode: 'USD', minorUnits: exact } });
    }),
  );
});

test('no basket the contract allows leaves 64 bits', () => {
  const dearest = { quantity: 1000, unitPrice: { currencyCode: 'USD', minorUnits: 1_000_000_000_000n } };
  assert.ok(100n * lineTotal(dearest).minorUnits < 2n ** 63n);
});

test('lines in two currencies have no total, in whatever order', () => {
  fc.assert(
    fc.property(basket, fc.nat(), (lines, at) => {
      const mixed = lines.map((each) => usd(each));
      mixed.splice(at % (mixed.length + 1), 0, {
        productId: 'yen',
        displayName: '',
        quantity: 1,
        unitPrice: { currencyCode: 'JPY', minorUnits: 1n },
      });
      const answer = totalOf(mixed);
      assert.equal('refusal' in answer && answer.refusal.reason, 'MIXED_CURRENCIES');
    }),
  );
});

test('only the very total that the customer saw is agreed', () => {
  const lines = [usd({ productId: 'a', displayName: 'A', quantity: 3, price: 5n })];
  const total = { currencyCode: 'USD', minorUnits: 15n };
  assert.deepEqual(agreedTotal(lines, undefined), { total });
  assert.deepEqual(agreedTotal(lines, total), { total });
  for (const other of [
    { ...total, minorUnits: 14n },
    { ...total, currencyCode: 'EUR' },
  ]) {
    const answer = agreedTotal(lines, other);
    assert.equal('refusal' in answer && answer.refusal.reason, 'PRICE_CHANGED');
  }
});

test('a quote prices each line in the order asked and names exactly what is short', () => {
  fc.assert(
    fc.property(basket, fc.func(fc.nat({ max: 1000 })), (lines, stock) => {
      const cheap = lines.map((each) => ({ ...each, price: each.price % 1000n }));
      const offers = cheap.map((each) => offer(each.productId, each.price, stock(each.productId)));
      const quoted = quote(cheap, offers.toReversed());
      assert.ok('lines' in quoted);
      assert.deepEqual(
        quoted.lines.map(({ productId }) => productId),
        cheap.map(({ productId }) => productId),
      );
      assert.equal(
        quoted.total.minorUnits,
        quoted.lines.reduce((sum, { lineTotal }) => sum + lineTotal.minorUnits, 0n),
      );
      for (const { productId, quantity, stockAvailable } of quoted.lines) {
        const shortage: Shortage | undefined = quoted.short.find((each) => each.productId === productId);
        const expected = { productId, requested: quantity, available: stockAvailable };
        assert.deepEqual(shortage, stockAvailable < quantity ? expected : undefined);
      }
    }),
  );
});

test('an archived or missing product refuses a quote', () => {
  const items = [{ productId: 'gone', quantity: 1 }];
  const archived = quote(items, [{ ...offer('gone', 1n, 1), sold: false }]);
  assert.equal('refusal' in archived && archived.refusal.reason, 'PRODUCT_ARCHIVED');
  const missing = quote(items, []);
  assert.equal('refusal' in missing && missing.refusal.reason, 'PRODUCT_NOT_FOUND');
});

test('lines without a price are never taken for priced ones', () => {
  assert.throws(() => priced([{ productId: 'a', displayName: '', quantity: 1, unitPrice: undefined }]));
});

type Basket = { productId: string; displayName: string; quantity: number; price: bigint };

function usd({ price, ...line }: Basket): PricedLine {
  return { ...line, unitPrice: { currencyCode: 'USD', minorUnits: price } };
}

function offer(productId: string, price: bigint, stockAvailable: number): Offer {
  return { productId, unitPrice: { currencyCode: 'USD', minorUnits: price }, stockAvailable, sold: true };
}
