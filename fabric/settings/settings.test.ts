/** How settings are resolved, and what stops a start. */
import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { environmentLayer } from './layers.ts';
import type { Layer } from './layers.ts';
import { loadSettings, resolveSettings } from './settings.ts';
import type { Settings } from './settings.ts';

const REQUIRED = {
  MERCER_PKI_CERT: 'cert.pem',
  MERCER_PKI_KEY: 'key.pem',
  MERCER_PKI_CA: 'ca.pem',
  MERCER_OIDC_ISSUER: 'http://127.0.0.1:9000',
};
const ALONE = { ...REQUIRED, MERCER_CONFIG_ADDRESS: '' };

function resolve(service: string, env: NodeJS.ProcessEnv, central: Layer = new Map()): Settings {
  const origin = { source: 'none', version: '', problem: '' } as const;
  return resolveSettings(service, [environmentLayer({ ...REQUIRED, ...env }), central], origin);
}

test('values have their own types: durations in ms, lists as arrays, rates as counts', () => {
  const settings = resolve('gateway', {
    MERCER_CORS_ORIGINS: 'https://a.example, https://b.example',
    MERCER_RATELIMIT_SUBJECT: '600/m',
    MERCER_RATELIMIT_ENABLED: 'false',
    MERCER_TRACE_SAMPLE_RATE: '0.25',
  });
  equal(settings['registry.ttl'], 15_000);
  deepEqual(settings['cors.origins'], ['https://a.example', 'https://b.example']);
  deepEqual(settings['ratelimit.subject'], { count: 600, per: 60_000 });
  equal(settings['ratelimit.enabled'], false);
  equal(settings['trace.sample-rate'], 0.25);
});

test('defaults may differ by service', () => {
  equal(resolve('registry', {})['grpc.port'], 50_050);
  equal(resolve('config', { MERCER_CONFIG_REPOSITORY: '/srv/config' })['grpc.port'], 50_054);
});

test('the environment wins over central values, these over the defaults', () => {
  const central: Layer = new Map([
    ['log.level', { text: 'warn', from: 'application.yml' }],
    ['zone', { text: 'eu-1', from: 'application.yml' }],
  ]);
  const settings = resolve('registry', { MERCER_LOG_LEVEL: 'debug' }, central);
  deepEqual([settings['log.level'], settings.zone, settings['registry.ttl']], ['debug', 'eu-1', 15_000]);
});

test('a wrong value is refused in one sentence with key, place and what is allowed', () => {
  throws(() => resolve('registry', { MERCER_REGISTRY_TTL: '1s' }), {
    name: 'SettingsError',
    key: 'registry.ttl',
    message: 'registry.ttl "1s" from MERCER_REGISTRY_TTL is not a duration from 2s to 5m',
  });
});

test('a wrong secret is refused without showing it', () => {
  const env = { MERCER_DATABASE_URL: 'mysql://root:hunter2@127.0.0.1/shop' };
  throws(
    () => resolve('order', env),
    (error: Error) => {
      ok(!error.message.includes('hunter2'));
      return error.message.startsWith('database.url from MERCER_DATABASE_URL is not a URL');
    },
  );
});

test('a setting without default must be given', () => {
  throws(() => resolve('config', {}), {
    message: /^config\.repository is not given: set MERCER_CONFIG_REPOSITORY to a git URL/,
  });
});

test('variables of other services are no fault', () => {
  equal(resolve('registry', { MERCER_GATEWAY_PORT: 'x' })['log.level'], 'info');
});

test("reading another service's setting is a defect", () => {
  throws(() => resolve('registry', {})['gateway.port'], /gateway\.port is no setting of registry/);
});

test('settings are frozen', () => {
  throws(() => Object.assign(resolve('registry', {}), { zone: 'x' }), TypeError);
});

test('with no config server named, environment and defaults are complete', async () => {
  const settings = await loadSettings('gateway', { env: ALONE });
  deepEqual([settings.source, settings.problem, settings['gateway.port']], ['none', '', 8080]);
});

test('an unknown variable stops the load', async () => {
  await rejects(loadSettings('gateway', { env: { ...ALONE, MERCER_GATEWAY_PROT: '1' } }), {
    name: 'SettingsError',
  });
});
