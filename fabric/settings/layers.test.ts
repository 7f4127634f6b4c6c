/** What the environment and the central configuration may give. */
import { deepEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { centralLayer, environmentLayer } from './layers.ts';
import type { CentralValues } from './layers.ts';

function central(files: Record<string, Record<string, string>>): CentralValues {
  const sources = Object.entries(files).map(([name, properties]) => ({ name, properties }));
  return { sources, values: Object.assign({}, ...sources.map(({ properties }) => properties).toReversed()) };
}

test('an environment variable gives the setting it is named for', () => {
  deepEqual(
    [...environmentLayer({ MERCER_REGISTRY_TTL: '4s', PATH: '/bin' })],
    [['registry.ttl', { text: '4s', from: 'MERCER_REGISTRY_TTL' }]],
  );
});

test('an unknown MERCER_ variable is refused by name', () => {
  throws(() => environmentLayer({ MERCER_LOG_LEVLE: 'info' }), {
    name: 'SettingsError',
    key: 'MERCER_LOG_LEVLE',
    message: 'MERCER_LOG_LEVLE in the environment is no setting: docs/settings.md lists them',
  });
});

test("the tests' own variables are left alone", () => {
  deepEqual([...environmentLayer({ MERCER_TEST_POSTGRES: 'postgresql://127.0.0.1' })], []);
});

test('a central value keeps the file it came from', () => {
  const files = {
    'repo/product.yml': { 'reservation.ttl': '1m' },
    'repo/application.yml': { 'log.level': 'warn' },
  };
  deepEqual(Object.fromEntries(centralLayer('product', central(files))), {
    'log.level': { text: 'warn', from: 'repo/application.yml' },
    'reservation.ttl': { text: '1m', from: 'repo/product.yml' },
  });
});

test('a key of another service is left out of the shared files, with or without profile', () => {
  for (const name of ['application.yml', 'repo/application-eu.yml'])
    deepEqual(
      [...centralLayer('order', central({ [name]: { 'reservation.ttl': '1m', anything: 'x' } }))],
      [],
    );
});

test("a key that the service does not know is refused in its own file, with the file's name", () => {
  throws(() => centralLayer('order', central({ 'repo/order.yml': { 'log.levle': 'warn' } })), {
    key: 'log.levle',
    message: 'log.levle in repo/order.yml is no setting of order: docs/settings.md lists them',
  });
  throws(
    () => centralLayer('order', central({ 'order-eu.yml': { 'reservation.ttl': '1m' } })),
    /no setting of order/,
  );
});

test('what must be known before the config server is asked cannot come from it', () => {
  deepEqual([...centralLayer('order', central({ 'application.yml': { 'data.dir': '/tmp' } }))], []);
  throws(() => centralLayer('order', central({ 'order.yml': { 'data.dir': '/tmp' } })), {
    message: 'data.dir in order.yml has no effect there: give it as MERCER_DATA_DIR',
  });
});

test('the entries of an array make a list, in order of their index', () => {
  const origins = Object.fromEntries(
    [10, 2, 0].map((index) => [`cors.origins[${index}]`, `https://${index}`]),
  );
  deepEqual(
    centralLayer('gateway', central({ 'gateway.yml': origins })).get('cors.origins')?.text,
    'https://0,https://2,https://10',
  );
});

test('an array where one value belongs is refused', () => {
  throws(
    () => centralLayer('order', central({ 'order.yml': { 'log.level[0]': 'warn' } })),
    /log\.level\[0\]/,
  );
});
