/** Tries the local configuration repository with the real git. */
import { equal, match, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openConfigRepository } from './config-repository.ts';

const run = promisify(execFile);

test('the sample is committed once, and what the user commits stays', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'mercer-config-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const repository = await openConfigRepository(data);
  ok((await readFile(join(repository, 'application.yml'), 'utf8')).length > 0);
  await writeFile(join(repository, 'application.yml'), 'log:\n  level: debug\n');
  await run('git', ['commit', '--all', '--quiet', '--message', 'Debug'], { cwd: repository });

  equal(await openConfigRepository(data), repository);
  match(await readFile(join(repository, 'application.yml'), 'utf8'), /debug/);
  const { stdout } = await run('git', ['log', '--format=%s %an', 'main'], { cwd: repository });
  equal(stdout, 'Debug Mercer\nStart from the sample configuration Mercer\n');
});
