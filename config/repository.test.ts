/** A real repository followed by a real bare clone: commits, force pushes, labels, and git going away. */
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Logger } from '#fabric/telemetry/logger.ts';
import { openRepository } from './repository.ts';
import type { Repository } from './repository.ts';
import { sampleRepository } from './sample-repository.fixture.ts';
import type { SampleRepository } from './sample-repository.fixture.ts';

const POLL = 250;
const directory = await mkdtemp(join(tmpdir(), 'mercer-repository-'));
after(() => rm(directory, { recursive: true }));

type Line = { event: string; version?: string; forced?: boolean; file?: string; line?: number };

/** A repository with one commit, a folder for its clone, and what is logged. */
async function sample(files: Record<string, string> = { 'application.yml': 'a: 1' }): Promise<{
  origin: SampleRepository;
  data: string;
  log: Logger;
  lines: Line[];
}> {
  const folder = await mkdtemp(join(directory, 'sample-'));
  const origin = await sampleRepository(join(folder, 'config-repo'), files);
  const lines: Line[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Line) });
  return { origin, data: join(folder, 'data'), log, lines };
}

async function follow(
  context: TestContext,
  { origin, data, log }: { origin: SampleRepository; data: string; log: Logger },
  label = 'main',
): Promise<Repository> {
  const repository = await openRepository({ url: origin.directory, directory: data, label, poll: POLL, log });
  context.after(() => repository[Symbol.asyncDispose]());
  return repository;
}

/** Waits until something holds, 10 s at most. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    ok(Date.now() < end, 'it did not happen within 10 s');
    await sleep(20);
  }
}

test('the head of the default label is served after the first fetch', async (context) => {
  const { origin, ...rest } = await sample();
  const repository = await follow(context, { origin, ...rest });
  equal(repository.loaded, true);
  equal(await repository.commit(''), await origin.git('rev-parse', 'HEAD'));
  ok(repository.fetchTime !== undefined && repository.staleSince === undefined);
});

test('a commit becomes visible within the poll', async (context) => {
  const { origin, ...rest } = await sample();
  const repository = await follow(context, { origin, ...rest });
  const commit = await origin.commit({ 'application.yml': 'a: 2' });
  await until(async () => (await repository.commit('')) === commit);
  equal((await repository.files(commit)).get('application.yml')?.properties.get('a')?.text, '2');
  deepEqual(
    rest.lines.map(({ event, forced }) => [event, forced]),
    [
      ['config_published', false],
      ['config_published', false],
    ],
  );
});

test('branches, tags and commits are labels; anything else names no commit', async (context) => {
  const { origin, ...rest } = await sample();
  const first = await origin.git('rev-parse', 'HEAD');
  await origin.git('tag', '--annotate', '--message', 'first', 'v1');
  await origin.git('branch', 'feature/x');
  await origin.commit({ 'application.yml': 'a: 2' });
  const repository = await follow(context, { origin, ...rest });
  const labels = ['v1', 'feature/x', first, first.slice(0, 10)];
  deepEqual(await Promise.all(labels.map((label) => repository.commit(label))), [first, first, first, first]);
  deepEqual(await Promise.all(['nope', '0123456789', 'HEAD'].map((label) => repository.commit(label))), [
    undefined,
    undefined,
    undefined,
  ]);
});

test('a force push is followed and noted', async (context) => {
  const { origin, ...rest } = await sample();
  const repository = await follow(context, { origin, ...rest });
  await origin.git('commit', '--quiet', '--amend', '--message', 'other history');
  const forced = await origin.commit({ 'application.yml': 'a: 3' });
  await until(async () => (await repository.commit('')) === forced);
  deepEqual([rest.lines.at(-1)?.event, rest.lines.at(-1)?.forced], ['config_published', true]);
});

test('while git is away the last commit is served, and said to be stale; its return is noticed', async (context) => {
  const { origin, ...rest } = await sample();
  const repository = await follow(context, { origin, ...rest });
  const head = await repository.commit('');
  await origin.hide();
  await until(() => repository.staleSince !== undefined);
  equal(await repository.commit(''), head);
  await origin.restore();
  await until(() => repository.staleSince === undefined);
  deepEqual(
    rest.lines.map(({ event }) => event),
    ['config_published', 'config_repository_away', 'config_repository_back'],
  );
});

test('a start while git is away serves what the clone holds', async (context) => {
  const { origin, ...rest } = await sample();
  const earlier = await openRepository({
    url: origin.directory,
    directory: rest.data,
    label: 'main',
    poll: POLL,
    log: rest.log,
  });
  const head = await earlier.commit('');
  await earlier[Symbol.asyncDispose]();
  await origin.hide();
  const repository = await follow(context, { origin, ...rest });
  equal(await repository.commit(''), head);
  notEqual((await repository.files(head ?? '')).get('application.yml'), undefined);
});

test('an empty repository, or one that never answered, serves nothing until it does', async (context) => {
  const { origin, ...rest } = await sample();
  await origin.hide();
  const repository = await follow(context, { origin, ...rest });
  deepEqual([repository.loaded, await repository.commit('')], [false, undefined]);
  await origin.restore();
  await until(() => repository.loaded);
});

test('a default branch that is deleted stays served', async (context) => {
  const { origin, ...rest } = await sample();
  const repository = await follow(context, { origin, ...rest });
  const head = await repository.commit('');
  await origin.git('branch', '--move', 'main', 'other');
  await until(() => repository.staleSince !== undefined);
  equal(await repository.commit(''), head);
});

test('lock files of a killed git do not stop the next fetch', async (context) => {
  const { origin, ...rest } = await sample();
  const repository = await follow(context, { origin, ...rest });
  const [clone = ''] = await readdir(rest.data);
  await writeFile(join(rest.data, clone, 'refs', 'heads', 'main.lock'), '');
  await writeFile(join(rest.data, clone, 'packed-refs.lock'), '');
  const commit = await origin.commit({ 'application.yml': 'a: 2' });
  await until(async () => (await repository.commit('')) === commit);
});

test('only regular files in the root are read, and oversized ones are faults', async (context) => {
  const { origin, ...rest } = await sample({ 'application.yml': 'a: 1', 'README.md': 'x' });
  await symlink('/etc/passwd', join(origin.directory, 'order.yml'));
  await origin.git('add', '--all');
  const head = await origin.commit({ 'product.yml': `a: ${'x'.repeat(300_000)}`, 'bad.yml': 'a: [' });
  const repository = await follow(context, { origin, ...rest });
  const files = await repository.files(head);
  deepEqual([...files.keys()].sort(), ['application.yml', 'bad.yml', 'product.yml']);
  deepEqual(files.get('product.yml')?.fault, {
    file: 'product.yml',
    line: 0,
    reason: 'larger than 262144 bytes',
  });
  deepEqual(
    rest.lines.filter(({ event }) => event === 'config_file_rejected').map(({ file, line }) => [file, line]),
    [
      ['bad.yml', 1],
      ['product.yml', 0],
    ],
  );
});

test('readers do not wait while git hangs', async (context) => {
  const { origin, ...rest } = await sample();
  const repository = await follow(context, { origin, ...rest });
  const head = (await repository.commit('')) ?? '';
  const bin = await mkdtemp(join(directory, 'bin-'));
  await writeFile(join(bin, 'git'), '#!/bin/sh\nexec sleep 30\n');
  await chmod(join(bin, 'git'), 0o755);
  const path = process.env['PATH'];
  process.env['PATH'] = `${bin}:${path}`;
  context.after(() => (process.env['PATH'] = path));
  await sleep(2 * POLL);
  const start = performance.now();
  await Promise.all(
    Array.from({ length: 500 }, async () => repository.files((await repository.commit('')) ?? '')),
  );
  ok(performance.now() - start < 1_000);
  equal(await repository.commit(''), head);
});
