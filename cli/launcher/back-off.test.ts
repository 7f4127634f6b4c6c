/** Tries the waits between starts. */
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { backOff, countFailure } from './back-off.ts';

test('waits double from half a second to ten', () => {
  deepEqual([1, 2, 3, 4, 5, 6, 60].map(backOff), [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test('failures in a row are forgotten once a process has served for a while', () => {
  equal(countFailure(2, 1_000), 3);
  equal(countFailure(2, 60_000), 1);
});
