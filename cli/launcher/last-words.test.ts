/** Tries which line of a log explains an end. */
import { equal } from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lastWords } from './last-words.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-last-words-'));
after(() => rm(directory, { recursive: true, force: true }));

async function wordsOf(...lines: string[]): Promise<string> {
  const file = join(directory, 'process.log');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return lastWords(file);
}

test('the last error of a JSON log counts more than what follows it', async () => {
  const words = await wordsOf(
    '{"level":"info","msg":"one"}',
    '{"level":"fatal","msg":"no keel"}',
    '{"level":"info","msg":"bye"}',
  );
  equal(words, 'no keel');
});

test('PostgreSQL and Node speak plain text', async () => {
  equal(
    await wordsOf('LOG: starting', 'FATAL: data directory is gone', 'LOG: shut down'),
    'FATAL: data directory is gone',
  );
  equal(
    await wordsOf('throw it', 'TypeError: x is not a function', '    at y (z.ts:1)', 'Node.js v26'),
    'TypeError: x is not a function',
  );
});

test('without an error the last line speaks', async () => {
  equal(await wordsOf('{"level":"info","msg":"one"}', '{"level":"info","msg":"two"}', '}'), 'two');
});

test('a log that is not there says nothing', async () => {
  equal(await lastWords(join(directory, 'none.log')), '');
});
