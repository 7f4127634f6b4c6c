/** Imports point down only: cli, dev, gateway, services, registry, config -> fabric -> gen. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const SOURCES = globSync('{cli,config,dev,fabric,gateway,registry,services,test}/**/*.{ts,js}', {
  cwd: ROOT,
});

/** What each room may import besides itself, packages and gen/. */
const ALLOWED: Record<string, string[]> = {
  fabric: [],
  registry: ['fabric'],
  config: ['fabric'],
  gateway: ['fabric'],
  'services/product': ['fabric'],
  'services/order': ['fabric'],
  'services/payment': ['fabric'],
  dev: ['fabric'],
  cli: ['fabric', 'dev'],
};

test('no import points up or sideways', () => {
  const wrong = SOURCES.filter((file) => !file.startsWith('test/')).flatMap((file) => {
    const room = roomOf(file);
    const allowed = [room, 'gen', ...(ALLOWED[room] ?? [])];
    return targets(file)
      .filter((target) => !allowed.includes(roomOf(target)))
      .map((target) => `${file} imports ${target}`);
  });
  assert.deepEqual(wrong, []);
});

test('nothing but tests reaches for the tests', () => {
  const wrong = SOURCES.filter((file) => !file.endsWith('.test.ts') && !file.startsWith('test/')).filter(
    (file) => targets(file).some((target) => target.startsWith('test/') || target.endsWith('.test.ts')),
  );
  assert.deepEqual(wrong, []);
});

test('every source file opens with one sentence that says what it is', () => {
  const silent = SOURCES.filter((file) => {
    const [first = '', second = ''] = readFileSync(join(ROOT, file), 'utf8').split('\n');
    return !/^\/\*\* .+\. \*\/$/u.test(first.startsWith('#!') ? second : first);
  });
  assert.deepEqual(silent, []);
});

test('no file is longer than 400 lines, and no folder is named for nothing', () => {
  const long = SOURCES.filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 401);
  assert.deepEqual(long, []);
  const vague = SOURCES.filter((file) =>
    /(?:^|\/)(?:utils?|helpers?|common|misc|shared|types|index)(?:\/|\.ts$)/u.test(file),
  );
  assert.deepEqual(vague, []);
});

/** Files of this repository that a file imports, as paths from the root. */
function targets(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(?<path>[.#][^']+)'/gu)].map(
    (match) => match[1] ?? '',
  );
  return specifiers.map((specifier) =>
    specifier.startsWith('#') ? specifier.slice(1) : relative(ROOT, join(ROOT, dirname(file), specifier)),
  );
}

function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'services' ? `${first}/${second}` : first;
}
