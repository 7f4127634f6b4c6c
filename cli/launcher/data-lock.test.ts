/** Tries that a data folder has one launcher. */
import { rejects } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { lockData } from './data-lock.ts';

async function folder(t: TestContext): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'mercer-lock-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  return data;
}

test('a folder of a living launcher is refused, naming folder and process', async (t) => {
  const data = await folder(t);
  const launcher = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'cli/main.ts']);
  t.after(() => launcher.kill());
  await once(launcher, 'spawn');
  await writeFile(join(data, 'lock'), `${launcher.pid}\n`);
  await rejects(lockData(data), { message: new RegExp(`${data} is in use .*process ${launcher.pid}`) });
});

test('the lock of a launcher that died is taken over', async (t) => {
  const data = await folder(t);
  const launcher = spawn(process.execPath, ['-e', '0', 'cli/main.ts']);
  await once(launcher, 'exit');
  await writeFile(join(data, 'lock'), `${launcher.pid}\n`);
  await using _lock = await lockData(data);
});

test('a process that got the number of a dead launcher does not hold the folder', async (t) => {
  const data = await folder(t);
  const other = spawn('sleep', ['30']);
  t.after(() => other.kill());
  await once(other, 'spawn');
  await writeFile(join(data, 'lock'), `${other.pid}\n`);
  await using _lock = await lockData(data);
});

test('a lock that was given back can be taken again', async (t) => {
  const data = await folder(t);
  for (let times = 0; times < 2; times += 1) {
    await using _lock = await lockData(data);
  }
});
