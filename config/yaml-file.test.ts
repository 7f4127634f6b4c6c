/** How YAML becomes properties, and which files are refused where. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml } from './yaml-file.ts';
import type { Fault } from './yaml-file.ts';

function texts(yaml: string): Record<string, string> {
  const { properties, fault } = parseYaml('order.yml', yaml);
  equal(fault, undefined);
  return Object.fromEntries([...properties].map(([key, { text }]) => [key, text]));
}

function faultOf(yaml: string): Fault {
  const { properties, fault } = parseYaml('order.yml', yaml);
  equal(properties.size, 0);
  return fault ?? { file: '', line: -1, reason: 'no fault' };
}

test('nested mappings and arrays become dotted keys', () => {
  deepEqual(texts('a:\n  b: x\n  c: [1, {d: 2}]\na.e: y\n'), {
    'a.b': 'x',
    'a.c[0]': '1',
    'a.c[1].d': '2',
    'a.e': 'y',
  });
});

test('null and empty collections are the empty text, an empty file is no property', () => {
  deepEqual(texts('a:\nb: {}\nc: []\n'), { a: '', b: '', c: '' });
  deepEqual(texts(''), {});
  deepEqual(texts('# nothing\n'), {});
});

test('values keep their type, and numbers their text', () => {
  const { properties } = parseYaml(
    'x.yml',
    'version: 1.10\non: true\nport: 8080\nbig: 12345678901234567890\n',
  );
  deepEqual(
    [...properties.values()].map(({ value, text }) => [value, text]),
    [
      [1.1, '1.10'],
      [true, 'true'],
      [8080, '8080'],
      ['12345678901234567890', '12345678901234567890'],
    ],
  );
});

test('each property knows its line and column', () => {
  const { properties } = parseYaml('x.yml', 'a:\n  b: x\n  c:\n    - y\n');
  deepEqual(properties.get('a.b'), { value: 'x', text: 'x', line: 2, column: 6 });
  deepEqual(properties.get('a.c[0]'), { value: 'y', text: 'y', line: 4, column: 7 });
});

test('JSON is read the same way', () => {
  deepEqual(texts('{"log": {"level": "warn"}, "n": [1, 2]}'), {
    'log.level': 'warn',
    'n[0]': '1',
    'n[1]': '2',
  });
});

test('aliases and merge keys work; own keys win over merged ones, whole', () => {
  const yaml = 'base: &base {a: 1, list: [1, 2]}\nown:\n  <<: *base\n  list: [3]\ncopy: *base\n';
  deepEqual(texts(yaml), {
    'base.a': '1',
    'base.list[0]': '1',
    'base.list[1]': '2',
    'own.list[0]': '3',
    'own.a': '1',
    'copy.a': '1',
    'copy.list[0]': '1',
    'copy.list[1]': '2',
  });
});

test('a fault names file and line', () => {
  deepEqual([faultOf('a: 1\nb: [1, 2\nc: 3\n').file, faultOf('a: 1\nb: "x\n').line], ['order.yml', 3]);
  equal(faultOf('a: 1\nb:\n\t- x\n').line, 3);
});

test('what could be read in two ways is refused', () => {
  match(faultOf('a: 1\na: 2\n').reason, /unique/);
  deepEqual(faultOf('a.b: 1\na:\n  b: 2\n'), { file: 'order.yml', line: 3, reason: 'a.b is given twice' });
  match(faultOf('a: 1\n---\na: 2\n').reason, /multiple documents/);
  match(faultOf('- a\n').reason, /not a mapping/);
});

test('tags are refused', () => {
  for (const tag of ['!!js/function', '!secret', '!!binary'])
    equal(faultOf(`a: 1\nb: ${tag} x\n`).line, 2, tag);
});

test('alias bombs, circles and deep nesting end as faults', () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const items = Array.from({ length: 9 }, () => (level === 0 ? '1' : `*l${level - 1}`)).join(', ');
    return `k${level}: &l${level} [${items}]`;
  });
  match(faultOf(levels.join('\n')).reason, /more than 20000 values/);
  const merges = Array.from({ length: 30 }, (_, level) =>
    level === 0 ? 'k0: &m0 {a: 1}' : `k${level}: &m${level} {<<: [*m${level - 1}, *m${level - 1}]}`,
  );
  match(faultOf(merges.join('\n')).reason, /more than 20000 values|deeper/);
  match(faultOf('a: &a\n  b: *a\n').reason, /nested deeper|alias/i);
  match(faultOf(`a: ${'['.repeat(40)}1${']'.repeat(40)}`).reason, /nested deeper than 32/);
});
