/** The table of settings holds together. */
import { equal, notEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { defaultOf, readersOf, SETTING_KEYS, settingOf, variableOf } from './keys.ts';

test('every default is allowed by its own kind, for every service that reads it', () => {
  for (const key of SETTING_KEYS) {
    for (const service of readersOf(key)) {
      const fallback = defaultOf(key, service);
      if (settingOf(key).default === undefined) continue;
      notEqual(fallback, undefined, `${key} has no default for ${service}`);
      notEqual(settingOf(key).kind.parse(fallback ?? ''), undefined, `${key}: ${fallback}`);
    }
  }
});

test('no two keys share an environment variable', () => {
  equal(new Set(SETTING_KEYS.map(variableOf)).size, SETTING_KEYS.length);
});

test('a key is its environment variable in capitals with underscores', () => {
  equal(variableOf('trace.sample-rate'), 'MERCER_TRACE_SAMPLE_RATE');
});

test('the first replica is named for its service', () => {
  equal(defaultOf('instance.id', 'order'), 'order-1');
});
