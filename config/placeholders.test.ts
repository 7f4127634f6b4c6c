/** How placeholders are resolved. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { resolvePlaceholders } from './placeholders.ts';

function resolve(raw: Record<string, string>): Record<string, string> {
  return Object.fromEntries(resolvePlaceholders(new Map(Object.entries(raw))).values);
}

function faults(raw: Record<string, string>): Record<string, string> {
  return Object.fromEntries(resolvePlaceholders(new Map(Object.entries(raw))).faults);
}

test('a placeholder stands for the value of its key, several times over', () => {
  equal(resolve({ host: 'h', url: 'http://${host}:${port}/${host}', port: '80' })['url'], 'http://h:80/h');
});

test('a default is used when the key is unknown, and may hold colons and placeholders', () => {
  deepEqual(resolve({ a: '${x:http://d}', b: '${x:${y:z}}', c: '${x:}', d: '${a:other}' }), {
    a: 'http://d',
    b: 'z',
    c: '',
    d: 'http://d',
  });
});

test('a key may itself be made of placeholders', () => {
  equal(resolve({ env: 'eu', 'host.eu': 'h', a: '${host.${env}}' })['a'], 'h');
});

test('what cannot be resolved stays as written', () => {
  deepEqual(resolve({ a: '${HOME}/x', b: '${open', c: '$2a$10$x', d: '}' }), {
    a: '${HOME}/x',
    b: '${open',
    c: '$2a$10$x',
    d: '}',
  });
});

test('a circle is a fault of each key in it, and of no other', () => {
  const raw = { a: '${b}', b: 'x${a}', c: 'fine' };
  deepEqual(faults(raw), {
    a: 'placeholders go in a circle: a -> b -> a',
    b: 'placeholders go in a circle: b -> a -> b',
  });
  equal(resolve(raw)['c'], 'fine');
});

test('growth and nesting without end are faults', () => {
  const doubling = Object.fromEntries(
    Array.from({ length: 30 }, (_, level) => [
      `k${level}`,
      level === 0 ? 'xx' : `\${k${level - 1}}\${k${level - 1}}`,
    ]),
  );
  match(faults(doubling)['k29'] ?? '', /longer than 65536/);
  match(faults({ a: `${'${'.repeat(20_000)}x${'}'.repeat(20_000)}` })['a'] ?? '', /nested deeper/);
});
