/** Tries that honest books are without breach, when an audit looks twice, and what it then reports. */
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { Books } from './books.ts';
import fc from 'fast-check';
import { anyPurchases, booksOf, COURSES } from './honest-shop.fixture.ts';
import { audit, judge } from './judge.ts';

/** A confirmed purchase, its stock missing or not. */
function books({ age, kept }: { age: number; kept: boolean }): Books {
  const all = booksOf([{ course: 'confirmed', quantities: [2], age }]);
  if (kept) return all;
  return { ...all, ...booksOf([]), orders: all.orders, keys: all.keys };
}

test('books of honest purchases, whatever their courses, are without breach', () => {
  fc.assert(
    fc.property(anyPurchases, (purchases) => {
      deepEqual(
        judge(booksOf(purchases)).filter(({ suspicions }) => suspicions.length > 0),
        [],
      );
    }),
    { numRuns: 300 },
  );
});

test('each check says how many entities it looked at', () => {
  const all = booksOf(COURSES.map((course) => ({ course, quantities: [1], age: 0 })));
  const looked = new Map(judge(all).map(({ id, entities }) => [id, entities]));
  equal(looked.get('stock-balance'), 2);
  equal(looked.get('order-total'), COURSES.length);
  equal(looked.get('order-key'), COURSES.length - 1);
  equal(looked.get('order-stock'), COURSES.length);
  equal(looked.get('money-capture'), 7);
});

async function auditOf(...readings: Books[]): Promise<{ breaches: string[]; slept: number[]; left: number }> {
  const slept: number[] = [];
  const verdicts = await audit({
    read: async () => readings.shift() ?? booksOf([]),
    sleep: async (time) => slept.push(time),
  });
  const breaches = verdicts.filter(({ suspicions }) => suspicions.length > 0).map(({ id }) => id);
  return { breaches, slept, left: readings.length };
}

test('books in order are read once, at once', async () => {
  const { breaches, slept, left } = await auditOf(
    books({ age: 60_000, kept: true }),
    books({ age: 60_000, kept: false }),
  );
  deepEqual({ breaches, slept, left }, { breaches: [], slept: [], left: 1 });
});

test('a breach that is still there after a short pause is reported', async () => {
  const lost = books({ age: 60_000, kept: false });
  const { breaches, slept } = await auditOf(lost, lost);
  deepEqual(breaches, ['order-stock', 'order-payment', 'money-net']);
  deepEqual(slept, [1_000]);
});

test('a suspicion that has gone is forgotten', async () => {
  const { breaches } = await auditOf(books({ age: 60_000, kept: false }), books({ age: 60_000, kept: true }));
  deepEqual(breaches, []);
});

test('what changed a moment ago is given the time to settle, and then judged', async () => {
  const { breaches, slept } = await auditOf(
    books({ age: 2_000, kept: false }),
    books({ age: 11_500, kept: false }),
  );
  deepEqual(slept, [9_000]);
  deepEqual(breaches, ['order-stock', 'order-payment', 'money-net']);
});

test('what goes on changing is not reported', async () => {
  const { breaches } = await auditOf(books({ age: 2_000, kept: false }), books({ age: 3_000, kept: false }));
  deepEqual(breaches, []);
});

test('what was not suspected at first is not reported at the second look', async () => {
  const first = books({ age: 60_000, kept: true });
  const [shelf] = first.shelves;
  if (shelf?.row !== undefined) shelf.row.available += 1n;
  const { breaches, slept } = await auditOf(first, books({ age: 60_000, kept: false }));
  equal(slept.length, 1);
  deepEqual(breaches, []);
});
