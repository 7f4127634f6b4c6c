/** Tries how a growing log is read. */
import { deepEqual } from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { logReader } from './log-reader.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-log-'));
after(() => rm(directory, { recursive: true, force: true }));

test('each line is read once, when it is whole', async () => {
  const file = join(directory, 'a.log');
  await writeFile(file, 'one\ntw');
  const { read } = await logReader(file);
  deepEqual(await read(), ['one']);
  await appendFile(file, 'o\nthree\n');
  deepEqual(await read(), ['two', 'three']);
  deepEqual(await read(), []);
});

test('what stood there before can be left out', async () => {
  const file = join(directory, 'b.log');
  await writeFile(file, 'old\n');
  const { read } = await logReader(file, { fromEnd: true });
  await appendFile(file, 'new\n');
  deepEqual(await read(), ['new']);
});

test('a file that was set aside begins anew', async () => {
  const file = join(directory, 'c.log');
  const { read } = await logReader(file);
  deepEqual(await read(), []);
  await writeFile(file, 'a long first line\n');
  deepEqual(await read(), ['a long first line']);
  await writeFile(file, 'short\n');
  deepEqual(await read(), ['short']);
});
