/** Durations read and write the same text. */
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

test('a duration is a whole number and a unit', () => {
  deepEqual(['250ms', '4s', '2m', '1h', '0s'].map(parseDuration), [250, 4_000, 120_000, 3_600_000, 0]);
});

test('anything else is no duration', () => {
  for (const text of ['', '4', '-1s', '1.5s', '4 s', '1d', '4S', '1h30m', 's', '1e3s', 'constructor'])
    equal(parseDuration(text), undefined, text);
});

test('a duration is written with its largest whole unit', () => {
  deepEqual([0, 250, 4_000, 90_000, 120_000, 3_600_000].map(formatDuration), [
    '0s',
    '250ms',
    '4s',
    '90s',
    '2m',
    '1h',
  ]);
});

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), (duration) => {
      equal(parseDuration(formatDuration(duration)), duration);
    }),
  );
});
