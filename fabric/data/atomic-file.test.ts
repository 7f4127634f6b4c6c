/** Files that are whole or absent, whoever writes them at the same time. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PUBLIC, SECRET, createFile, replaceFile } from './atomic-file.ts';

const dir = await mkdtemp(join(tmpdir(), 'atomic-'));
after(() => rm(dir, { recursive: true }));

test('of those who create a file one wins, and its content stays', async () => {
  const file = join(dir, 'created');
  await createFile(file, 'first', SECRET);
  await Promise.all(['second', 'third'].map((content) => createFile(file, content, SECRET)));
  assert.equal(await readFile(file, 'utf8'), 'first');
  assert.equal((await stat(file)).mode & 0o777, SECRET);
});

test('a replaced file is the latest, with its mode', async () => {
  const file = join(dir, 'replaced');
  await replaceFile(file, 'first', PUBLIC);
  await replaceFile(file, 'second', SECRET);
  assert.equal(await readFile(file, 'utf8'), 'second');
  assert.equal((await stat(file)).mode & 0o777, SECRET);
});

test('a failure other than "it exists" is told, and no draft stays', async () => {
  await assert.rejects(createFile(join(dir, 'nowhere/file'), 'x', SECRET), { code: 'ENOENT' });
  assert.deepEqual(
    (await readdir(dir)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});
