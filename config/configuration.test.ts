/** A bad commit leaves the applications it concerns on their last good one; others move on. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { configurationReader } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { openRepository } from './repository.ts';
import { sampleRepository } from './sample-repository.fixture.ts';
import type { SampleRepository } from './sample-repository.fixture.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-configuration-'));
after(() => rm(directory, { recursive: true }));

type Read = (application: string, label?: string, profile?: string) => Promise<Configuration>;

/** Reads a repository whose commits are all known by their ids, so that nothing waits for a poll. */
async function reader(
  context: TestContext,
  prepare: (origin: SampleRepository) => Promise<unknown>,
): Promise<{ read: Read; commits: string[] }> {
  const folder = await mkdtemp(join(directory, 'sample-'));
  const origin = await sampleRepository(join(folder, 'config-repo'), {
    'application.yml': 'log.level: info',
  });
  await prepare(origin);
  const log = pino({ enabled: false });
  const data = join(folder, 'data');
  const repository = await openRepository({
    url: origin.directory,
    directory: data,
    label: 'main',
    poll: 60_000,
    log,
  });
  context.after(() => repository[Symbol.asyncDispose]());
  const read = configurationReader(repository, log);
  const commits = (await origin.git('rev-list', '--reverse', 'HEAD')).split('\n');
  return { commits, read: (application, label = '', profile = '') => read({ application, label, profile }) };
}

test('an application reads its files of the head, with profiles', async (context) => {
  const { read, commits } = await reader(context, (origin) =>
    origin.commit({ 'order.yml': 'log.level: warn', 'order-eu.yml': 'log.level: error' }),
  );
  const { values, version, files, profiles, label, rejected } = await read('order', '', 'us,eu');
  deepEqual([values.get('log.level'), version, profiles, label], ['error', commits[1], ['us', 'eu'], 'main']);
  deepEqual(
    files.map(({ name }) => name),
    ['order-eu.yml', 'order.yml', 'application.yml'],
  );
  deepEqual(rejected, []);
  deepEqual((await read('order')).profiles, ['default']);
});

test('a file that does not parse holds back its readers alone, with file and line', async (context) => {
  const { read, commits } = await reader(context, (origin) =>
    origin.commit({ 'order.yml': 'a: 1\nb: [', 'application.yml': 'log.level: debug' }),
  );
  const [order, other] = await Promise.all([read('order'), read('shop')]);
  deepEqual([order.version, order.values.get('log.level')], [commits[0], 'info']);
  deepEqual(
    order.rejected.map(({ version, file, line }) => ({ version, file, line })),
    [{ version: commits[1], file: 'order.yml', line: 2 }],
  );
  deepEqual([other.version, other.values.get('log.level'), other.rejected], [commits[1], 'debug', []]);
});

test("a value that a service's settings do not allow is rejected like a bad file", async (context) => {
  const { read, commits } = await reader(context, async (origin) => {
    await origin.commit({ 'product.yml': 'reservation:\n  ttl: 1m' });
    await origin.commit({ 'product.yml': '# soon\nreservation:\n  ttl: soon' });
    await origin.commit({ 'order.yml': 'log.levle: warn' });
  });
  const product = await read('product');
  deepEqual([product.version, product.values.get('reservation.ttl')], [commits[1], '1m']);
  deepEqual(product.rejected, [
    {
      version: commits[3],
      file: 'product.yml',
      line: 3,
      reason: 'reservation.ttl "soon" from product.yml is not a duration from 1s to 24h',
    },
    {
      version: commits[2],
      file: 'product.yml',
      line: 3,
      reason: 'reservation.ttl "soon" from product.yml is not a duration from 1s to 24h',
    },
  ]);
  deepEqual(
    (await read('order')).rejected.map(({ file, line }) => [file, line]),
    [['order.yml', 1]],
  );
});

test('an application that is no service of Mercer takes any key', async (context) => {
  const { read, commits } = await reader(context, (origin) =>
    origin.commit({ 'legacy.yml': 'greeting: hello' }),
  );
  const legacy = await read('legacy');
  deepEqual([legacy.version, legacy.values.get('greeting')], [commits[1], 'hello']);
});

test('a label that names no commit is not found', async (context) => {
  const { read } = await reader(context, () => Promise.resolve());
  await rejects(read('order', 'nope'), { code: status.NOT_FOUND, reason: 'LABEL_NOT_FOUND' });
});

test('a commit is a label: the past can be read', async (context) => {
  const { read, commits } = await reader(context, (origin) =>
    origin.commit({ 'application.yml': 'log.level: warn' }),
  );
  equal((await read('order', commits[0])).values.get('log.level'), 'info');
});

test('without any usable commit the fault is told', async (context) => {
  const { read } = await reader(context, async (origin) => {
    await origin.git('rm', '--quiet', 'application.yml');
    await origin.git('commit', '--quiet', '--amend', '--allow-empty', '--message', 'empty');
    await origin.git('checkout', '--quiet', '--orphan', 'fresh');
    await origin.commit({ 'application.yml': 'a: [' });
    await origin.git('branch', '--force', 'main', 'fresh');
  });
  await rejects(read('order'), {
    code: status.UNAVAILABLE,
    reason: 'CONFIG_REJECTED',
    message: /^no usable commit for order: application\.yml:1: /,
  });
});
