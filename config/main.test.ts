/** The config server as a process: what services and Spring clients get while its repository changes. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { ConfigServiceService } from '#gen/mercer/config/v1/config_service.ts';
import type { GetConfigResponse } from '#gen/mercer/config/v1/config_service.ts';
import { openAuthority } from '#fabric/identity/pki.ts';
import { readWorkloadCredentials } from '#fabric/identity/workload.ts';
import { openChannel } from '#fabric/rpc/channel.ts';
import { connect } from '#fabric/rpc/client.ts';
import { sampleRepository } from './sample-repository.fixture.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-config-'));
const authority = await openAuthority(join(directory, 'ca'));
const own = await authority.issue('svc/config', { dir: join(directory, 'pki'), hours: 1 });
const credentials = readWorkloadCredentials(
  await authority.issue('svc/product', { dir: join(directory, 'pki'), hours: 1 }),
);
const origin = await sampleRepository(join(directory, 'config-repo'), {
  'application.yml': 'log:\n  level: info\n',
  'product.yml': 'reservation:\n  ttl: 1m\n',
});
const [grpcPort, httpPort] = [await freePort(), await freePort()];
const channel = openChannel({ target: `127.0.0.1:${grpcPort}`, authority: 'config', credentials });
const client = connect(ConfigServiceService, channel);
let server = start();

before(() => until(async () => (await read()).version !== ''));
after(async () => {
  channel.close();
  await stop('SIGTERM');
  await rm(directory, { recursive: true });
});

function start(env: NodeJS.ProcessEnv = {}): ChildProcess & { output: string } {
  const main = new URL('main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      MERCER_GRPC_PORT: String(grpcPort),
      MERCER_CONFIG_HTTP_PORT: String(httpPort),
      MERCER_CONFIG_REPOSITORY: origin.directory,
      MERCER_CONFIG_POLL: '250ms',
      MERCER_DATA_DIR: join(directory, 'data'),
      MERCER_PKI_CERT: own.cert,
      MERCER_PKI_KEY: own.key,
      MERCER_PKI_CA: own.ca,
      MERCER_OIDC_ISSUER: 'http://127.0.0.1:9',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const recorded = Object.assign(child, { output: '' });
  child.stdout?.on('data', (chunk: Buffer) => (recorded.output += chunk.toString()));
  return recorded;
}

async function stop(signal: NodeJS.Signals): Promise<number | null> {
  if (server.exitCode !== null) return server.exitCode;
  const exited = once(server, 'exit', { signal: AbortSignal.timeout(12_000) });
  server.kill(signal);
  await exited;
  return server.exitCode;
}

function read(application = 'product'): Promise<GetConfigResponse> {
  return client.getConfig({ application, profile: '', label: '' });
}

/** Waits until something holds, 15 s at most; a failing call does not hold yet. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds().catch(() => false))) {
    ok(Date.now() < end, 'it did not happen within 15 s');
    await sleep(50);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

test('a service reads its effective configuration and the files behind it', async () => {
  const { values, sources, profiles, label, version, fetchTime, staleSince } = await read();
  deepEqual(values, { 'log.level': 'info', 'reservation.ttl': '1m' });
  deepEqual(sources, [
    { name: `${origin.directory}/product.yml`, properties: { 'reservation.ttl': '1m' } },
    { name: `${origin.directory}/application.yml`, properties: { 'log.level': 'info' } },
  ]);
  deepEqual([profiles, label, version], [['default'], 'main', await origin.git('rev-parse', 'HEAD')]);
  ok(fetchTime !== undefined && staleSince === undefined);
});

test("another application's configuration is refused", async () => {
  await rejects(read('order'), { code: status.PERMISSION_DENIED, reason: 'NOT_OWN_APPLICATION' });
});

test('over HTTP Spring clients read the same commit', async () => {
  const response = await fetch(`http://127.0.0.1:${httpPort}/product/default`);
  const { version } = (await response.json()) as { version: string };
  equal(version, (await read()).version);
});

test('a commit is visible within the poll, a bad one is rejected with file and line, its repair is taken', async () => {
  const good = await origin.commit({ 'product.yml': 'reservation:\n  ttl: 2m\n' });
  await until(async () => (await read()).version === good);
  const bad = await origin.commit({ 'product.yml': 'reservation:\n  ttl: [2m\n' });
  await until(async () => (await read()).rejected.length > 0);
  const held = await read();
  deepEqual([held.version, held.values['reservation.ttl']], [good, '2m']);
  deepEqual(
    held.rejected.map(({ version, file, line }) => ({ version, file, line })),
    [{ version: bad, file: 'product.yml', line: 3 }],
  );
  const repaired = await origin.commit({ 'product.yml': 'reservation:\n  ttl: 3m\n' });
  await until(async () => (await read()).version === repaired);
  deepEqual((await read()).rejected, []);
});

test('killed and started again while git is away, it serves what it had and says since when', async () => {
  const { version } = await read();
  await origin.hide();
  await stop('SIGKILL');
  server = start();
  await until(async () => (await read()).staleSince !== undefined);
  equal((await read()).version, version);
  await origin.restore();
  await until(async () => (await read()).staleSince === undefined);
});

test('it ends in order', async () => {
  equal(await stop('SIGTERM'), 0);
});

test('without a repository it does not start, and says what is missing', async () => {
  server = start({ MERCER_CONFIG_REPOSITORY: undefined });
  await once(server, 'exit', { signal: AbortSignal.timeout(15_000) });
  equal(server.exitCode, 78);
  match(server.output, /config\.repository is not given: set MERCER_CONFIG_REPOSITORY to a git URL/);
});
