/** What each kind of setting takes, and what it refuses. */
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import {
  address,
  duration,
  failpoints,
  flag,
  integer,
  list,
  oneOf,
  port,
  rate,
  ratio,
  url,
} from './setting-kind.ts';
import type { SettingKind } from './setting-kind.ts';

function refuses(kind: SettingKind<unknown>, ...texts: string[]): void {
  for (const text of texts) equal(kind.parse(text), undefined, `${JSON.stringify(text)}: ${kind.allowed}`);
}

test('words and flags are taken as they are written, in lower case', () => {
  equal(oneOf('info', 'warn').parse('warn'), 'warn');
  deepEqual(['true', 'false'].map(flag().parse), [true, false]);
  refuses(oneOf('info', 'warn'), '', 'WARN', 'debug');
  refuses(flag(), '', 'yes', 'True', '1');
});

test('numbers have bounds, both included', () => {
  deepEqual(['1', '200'].map(integer(1, 200).parse), [1, 200]);
  deepEqual(['0', '65535'].map(port().parse), [0, 65_535]);
  deepEqual(['0', '0.05', '1'].map(ratio().parse), [0, 0.05, 1]);
  refuses(integer(1, 200), '0', '201', '1.5', '', ' 1', '1e2', '-1', '0x10');
  refuses(port(), '65536', '-1', 'http');
  refuses(ratio(), '1.01', '-0', '.5', '', '50%');
});

test('durations have bounds, both included, and say so', () => {
  const ttl = duration(2_000, 300_000);
  deepEqual(['2s', '2000ms', '5m'].map(ttl.parse), [2_000, 2_000, 300_000]);
  equal(ttl.allowed, 'a duration from 2s to 5m');
  refuses(ttl, '1999ms', '301s', '5', '');
});

test('a rate is a count by second, minute or hour', () => {
  deepEqual(rate().parse('100/s'), { count: 100, per: 1_000 });
  deepEqual(rate().parse('5000/h'), { count: 5_000, per: 3_600_000 });
  refuses(rate(), '', '100', '0/s', '100/d', '100/ms', '-1/s', '1.5/s');
});

test('an address is a host and a port', () => {
  for (const text of ['127.0.0.1:50050', 'registry:50050', '[::1]:50050']) equal(address().parse(text), text);
  refuses(address(), '', '127.0.0.1', ':50050', 'http://host:1', 'a b:1', '::1:50050');
  equal(address({ optional: true }).parse(''), '');
});

test('a URL has one of the schemes', () => {
  const web = url({ schemes: ['http', 'https'] });
  equal(web.parse('https://host/path'), 'https://host/path');
  refuses(web, '', 'ftp://host', 'host:80', 'https//host', 'javascript:alert(1)');
  equal(url({ schemes: ['http'], optional: true }).parse(''), '');
});

test('a list is split at commas; blanks around entries and empty entries do not count', () => {
  deepEqual(list().parse(' a, b ,,c,'), ['a', 'b', 'c']);
  deepEqual(list().parse(''), []);
});

test('failpoints are name, act and an optional passage, with commas between', () => {
  deepEqual(failpoints().parse(''), []);
  deepEqual(failpoints().parse('order.after_charge:exit, product.after_reserve:hang:3'), [
    { name: 'order.after_charge', act: 'exit', pass: undefined },
    { name: 'product.after_reserve', act: 'hang', pass: 3 },
  ]);
  refuses(failpoints(), 'order.after_charge', 'order:exit', 'order.after_charge:burn', 'order.x:exit:0', ',');
});
