/** What the files of a commit say to an application. */
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { environmentOf, fileNames } from './domain.ts';
import type { Environment } from './domain.ts';
import { parseYaml } from './yaml-file.ts';

function environment(files: Record<string, string>, profiles = ['default']): Environment {
  const parsed = Object.entries(files).map(([name, text]) => [name, parseYaml(name, text)] as const);
  return environmentOf(new Map(parsed), 'order', profiles);
}

function values(files: Record<string, string>, profiles?: string[]): Record<string, string> {
  return Object.fromEntries(environment(files, profiles).values);
}

test('a file of the application and profile is most specific, the shared one least; the last profile wins', () => {
  deepEqual(
    fileNames('order', ['eu', 'prod']).filter((name) => name.endsWith('.yml')),
    [
      'order-prod.yml',
      'application-prod.yml',
      'order-eu.yml',
      'application-eu.yml',
      'order.yml',
      'application.yml',
    ],
  );
});

test('the most specific file decides each key', () => {
  const files = {
    'application.yml': 'a: 1\nb: 1\nc: 1\nd: 1',
    'order.yml': 'b: 2\nc: 2\nd: 2',
    'application-eu.yml': 'c: 3\nd: 3',
    'order-eu.yml': 'd: 4',
    'product.yml': 'a: 9',
  };
  deepEqual(values(files, ['eu']), { a: '1', b: '2', c: '3', d: '4' });
  deepEqual(values(files), { a: '1', b: '2', c: '2', d: '2' });
});

test('an array is replaced whole, also by a single value', () => {
  const shared = { 'application.yml': 'list: [a, b, c]\nhosts: [{name: x, port: 1}]' };
  deepEqual(values({ ...shared, 'order.yml': 'list: [d]\nhosts: [{name: y}]' }), {
    'list[0]': 'd',
    'hosts[0].name': 'y',
  });
  deepEqual(values({ ...shared, 'order.yml': 'list: d\nhosts: []' }), { list: 'd', hosts: '' });
});

test('placeholders see the values of all files', () => {
  const files = { 'application.yml': 'host: h\nurl: http://${host}', 'order.yml': 'host: own' };
  equal(values(files)['url'], 'http://own');
});

test('a fault of a file is a fault of those alone who read it', () => {
  const bad = 'a: [1';
  deepEqual(environment({ 'order.yml': bad }).faults.length, 1);
  deepEqual(environment({ 'product.yml': bad, 'order-eu.yml': bad }).faults, []);
});

test('a circle of placeholders is a fault with the line of each value', () => {
  const { faults } = environment({ 'application.yml': 'x: 1\na: ${b}', 'order.yml': 'b: ${a}' });
  deepEqual(
    faults.map(({ file, line }) => `${file}:${line}`),
    ['order.yml:1', 'application.yml:2'],
  );
});

test('every value comes from the first file that has its key', () => {
  const file = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(99));
  fc.assert(
    fc.property(file, file, (own, shared) => {
      const text = { 'order.yml': JSON.stringify(own), 'application.yml': JSON.stringify(shared) };
      const expected = Object.entries({ ...shared, ...own }).map(([key, value]) => [key, String(value)]);
      deepEqual(values(text), Object.fromEntries(expected));
    }),
  );
});
