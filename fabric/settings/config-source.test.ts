/** Settings from a real config server over mutual TLS, and what happens without it. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { ConfigServiceService, GetConfigResponse } from '#gen/mercer/config/v1/config_service.ts';
import { openAuthority } from '../identity/pki.ts';
import { readWorkloadCredentials } from '../identity/workload.ts';
import { implement, unimplemented } from '../rpc/implement.ts';
import { startServer } from '../rpc/server.ts';
import { StatusError } from '../rpc/status-error.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { loadSettings } from './settings.ts';
import type { Settings } from './settings.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-settings-'));
const authority = await openAuthority(join(directory, 'ca'));
const config = await authority.issue('svc/config', { dir: join(directory, 'pki'), hours: 1 });
const product = await authority.issue('svc/product', { dir: join(directory, 'pki'), hours: 1 });

let answers: (() => GetConfigResponse)[] = [];
const callers: (string | undefined)[] = [];
const server = await startServer({
  bind: '127.0.0.1:0',
  credentials: readWorkloadCredentials(config),
  verifier: {
    verify: () => {
      throw new StatusError(status.UNAUTHENTICATED, 'no tokens here');
    },
  },
  log: pino({ enabled: false }),
  metrics: createMetrics('config').rpc,
  registrations: [
    implement(ConfigServiceService, {
      getConfig: async (request, call) => {
        callers.push(`${call.caller} asks for ${request.application}/${request.profile}`);
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        if (answer === undefined) throw new StatusError(status.UNAVAILABLE, 'nothing was read yet');
        return answer();
      },
      watchConfig: () => {
        throw unimplemented('WatchConfig');
      },
      listApplied: () => Promise.reject(unimplemented('ListApplied')),
      validateConfig: () => Promise.reject(unimplemented('ValidateConfig')),
      pinConfig: () => Promise.reject(unimplemented('PinConfig')),
      unpinConfig: () => Promise.reject(unimplemented('UnpinConfig')),
    }),
  ],
});
after(async () => {
  await server.drain(1_000);
  await rm(directory, { recursive: true });
});

function answer(values: Record<string, string>, profiles = ['default']): GetConfigResponse {
  const sources = [{ name: 'repo/product.yml', properties: values }];
  return GetConfigResponse.create({ application: 'product', profiles, version: 'c0ffee', sources, values });
}

function load(dataDir: string, env: NodeJS.ProcessEnv = {}): Promise<Settings> {
  return loadSettings('product', {
    env: {
      MERCER_CONFIG_ADDRESS: `127.0.0.1:${server.port}`,
      MERCER_PKI_CERT: product.cert,
      MERCER_PKI_KEY: product.key,
      MERCER_PKI_CA: product.ca,
      MERCER_OIDC_ISSUER: 'http://127.0.0.1:9000',
      MERCER_DATABASE_URL: 'postgresql://127.0.0.1/product',
      MERCER_DATABASE_OWNER_URL: 'postgresql://127.0.0.1/product',
      MERCER_PAGE_TOKEN_SECRET: 'a-secret-of-sixteen',
      MERCER_DATA_DIR: dataDir,
      ...env,
    },
  });
}

const AWAY = { MERCER_CONFIG_ADDRESS: '127.0.0.1:1' };

function dataDir(): Promise<string> {
  return mkdtemp(join(directory, 'data-'));
}

test('a service reads its own configuration, and the environment wins', async () => {
  answers = [() => answer({ 'reservation.ttl': '30s', 'log.level': 'warn' })];
  const settings = await load(await dataDir(), { MERCER_LOG_LEVEL: 'error', MERCER_PROFILE: 'eu,prod' });
  deepEqual([settings['reservation.ttl'], settings['log.level']], [30_000, 'error']);
  deepEqual([settings.source, settings.version, settings.problem], ['live', 'c0ffee', '']);
  equal(callers.at(-1), 'svc/product asks for product/eu,prod');
});

test('without the server the last-known-good copy serves within 3 s and says so', async () => {
  answers = [() => answer({ 'reservation.ttl': '30s' })];
  const data = await dataDir();
  await load(data);
  const start = performance.now();
  const settings = await load(data, AWAY);
  ok(performance.now() - start < 3_500);
  deepEqual([settings['reservation.ttl'], settings.source, settings.version], [30_000, 'stale', 'c0ffee']);
  match(settings.problem, /^config server 127\.0\.0\.1:1: /);
});

test('the copy is readable by its owner alone', async () => {
  answers = [() => answer({})];
  const data = await dataDir();
  await load(data);
  equal((await stat(join(data, 'config-product.json'))).mode & 0o777, 0o600);
});

test('without server and copy environment and defaults serve', async () => {
  const settings = await load(await dataDir(), AWAY);
  deepEqual([settings['reservation.ttl'], settings.source, settings.version], [120_000, 'none', '']);
});

test('a copy that is damaged or of another profile is none', async () => {
  const [damaged, other] = [await dataDir(), await dataDir()];
  await writeFile(join(damaged, 'config-product.json'), '{"application":"pro');
  answers = [() => answer({ 'reservation.ttl': '30s' })];
  await load(other);
  const loaded = await Promise.all([load(damaged, AWAY), load(other, { ...AWAY, MERCER_PROFILE: 'eu' })]);
  deepEqual(
    loaded.map((settings) => settings.source),
    ['none', 'none'],
  );
});

test('a server that is still starting is waited for', async () => {
  const starting = (): never => {
    throw new StatusError(status.UNAVAILABLE, 'nothing was read yet');
  };
  answers = [starting, starting, () => answer({ 'reservation.ttl': '1m' })];
  equal((await load(await dataDir()))['reservation.ttl'], 60_000);
});

test('a refusal is not asked again', async () => {
  const data = await dataDir();
  answers = [
    () => {
      throw new StatusError(status.PERMISSION_DENIED, 'not you');
    },
  ];
  const asked = callers.length;
  const settings = await load(data);
  deepEqual([settings.source, callers.length - asked], ['none', 1]);
  match(settings.problem, /not you/);
});

test('a wrong value stops the start with the file that holds it, and the good copy stays', async () => {
  const data = await dataDir();
  answers = [() => answer({ 'reservation.ttl': '30s' })];
  await load(data);
  answers = [() => answer({ 'reservation.ttl': 'soon' })];
  await rejects(load(data), {
    name: 'SettingsError',
    message: 'reservation.ttl "soon" from repo/product.yml is not a duration from 1s to 24h',
  });
  match(await readFile(join(data, 'config-product.json'), 'utf8'), /"30s"/);
});

test('a data folder that cannot be written is no reason not to start', async () => {
  answers = [() => answer({})];
  const file = join(await dataDir(), 'file');
  await writeFile(file, '');
  const settings = await load(file);
  equal(settings.source, 'live');
  match(settings.problem, /^no last-known-good copy is kept: /);
});
