/** Tries the life of the ready-file with a small fabric. */
import { equal, match } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../root.ts';

const data = await mkdtemp(join(tmpdir(), 'mercer-ready-'));
const file = join(data, 'ready.json');
after(() => rm(data, { recursive: true, force: true }));

const OFFSET = 7_300;
const REGISTRY_PORT = 50_050;

test('the file of an earlier fabric is gone when the next cannot start', { timeout: 60_000 }, async () => {
  await writeFile(file, '{}');
  const squatter = createServer().listen(REGISTRY_PORT + OFFSET, '127.0.0.1');
  await once(squatter, 'listening');
  equal(await ended(up()), 1);
  squatter.close();
  equal(existsSync(file), false);
});

test('the file stands while its fabric does, whoever else tries', { timeout: 60_000 }, async () => {
  const fabric = up();
  for (let waited = 0; !existsSync(file) && waited < 30_000; waited += 50) await sleep(50);
  equal(await ended(up()), 1);
  match(await readFile(file, 'utf8'), /registry/);
  fabric.kill('SIGTERM');
  equal(await ended(fabric), 0);
  equal(existsSync(file), false);
});

function up(): ChildProcess {
  const place = ['--data', data, '--offset', String(OFFSET), '--ready-file', file];
  const words = ['up', ...place, '--only', 'registry', '--seed', 'none'];
  return spawn(process.execPath, [join(ROOT, 'cli/main.ts'), ...words], { stdio: 'ignore', timeout: 50_000 });
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}
