/** The documents say what the code does: folders, reasons of errors, commands of the README. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const SOURCES = globSync('{cli,config,dev,fabric,gateway,registry,services}/**/*.ts', { cwd: ROOT }).filter(
  (file) => !/\.(?:test|fixture)\.ts$/u.test(file),
);

test('ARCHITECTURE.md names every folder that holds code, and no other', () => {
  const folders = new Set(
    globSync('{cli,config,deploy,dev,fabric,gateway,registry,services,test}/**/*.ts', { cwd: ROOT }).map(
      (file) => `${dirname(file)}/`,
    ),
  );
  const rows = [...read('ARCHITECTURE.md').matchAll(/^\| `([^`]+)` \|/gmu)].map(([, folder = '']) => folder);
  const others = ['proto/', 'gen/', 'config-repo/', 'docs/'];
  assert.deepEqual(rows.filter((row) => !others.includes(row)).toSorted(), [...folders].toSorted());
});

test('docs/errors.md lists every reason that an error may carry, and no other', () => {
  const text = SOURCES.map((file) => read(file)).join('\n');
  const used = [...text.matchAll(/\breason: '([A-Z0-9_]+)'/gu)].map(([, reason = '']) => reason);
  const listed = [...read('docs/errors.md').matchAll(/^\| `([A-Z0-9_]+)` \|/gmu)].map(
    ([, reason = '']) => reason,
  );
  assert.deepEqual(
    [...new Set(used)].filter((reason) => !listed.includes(reason)),
    [],
  );
  assert.deepEqual(
    listed.filter((reason) => !text.includes(`'${reason}'`)),
    [],
  );
  assert.equal(new Set(listed).size, listed.length);
});

test('files that the documents link to are there', () => {
  for (const document of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/dependencies.md']) {
    for (const [, target = ''] of read(document).matchAll(/\]\((?!https?:)([^)#]+)\)/gu)) {
      assert.ok(existsSync(join(dirname(join(ROOT, document)), target)), `${document}: ${target}`);
    }
  }
});

test('README.md is short, and its npm commands exist', () => {
  const readme = read('README.md');
  assert.ok(readme.split('\n').length <= 151);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/^npm (?:run )?(start|test|demo|[a-z:]+)$/gmu)].map(
    ([, script = '']) => script,
  );
  assert.ok(named.length >= 3);
  for (const script of named) assert.ok(script in scripts, script);
});

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
