/** Tries the bounds of retries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryBudget } from './retry-budget.ts';

/** How many of some retries in a row are granted. */
function granted(spend: () => boolean, tries: number): number {
  return Array.from({ length: tries }, () => spend()).filter(Boolean).length;
}

test('a quiet gateway may retry ten calls, and then one in ten', () => {
  const budget = retryBudget();
  assert.equal(granted(budget.spend, 100), 10);
  for (let call = 0; call < 9; call += 1) budget.earn();
  assert.equal(granted(budget.spend, 100), 0);
  budget.earn();
  assert.equal(granted(budget.spend, 100), 1);
});

test('calls that go well save up ten retries, not more', () => {
  const budget = retryBudget();
  for (let call = 0; call < 1_000; call += 1) budget.earn();
  assert.equal(granted(budget.spend, 100), 10);
});
