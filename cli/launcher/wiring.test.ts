/** Tries which settings reach which process. */
import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { endpointsOf } from './endpoints.ts';
import { planProcesses } from './processes.ts';
import type { PlannedProcess } from './processes.ts';
import { environmentOf, givenSettings } from './wiring.ts';
import type { FabricPlan, SettingTexts } from './wiring.ts';

const processes = planProcesses({ offset: 0, replicas: {}, only: [], elsewhere: [] }, () => 20_001);

function planWith(given: SettingTexts): FabricPlan {
  const places = { ca: '/d/pki/ca.pem', configRepo: '/d/config-repo', databases: {}, logs: '/d/logs' };
  return {
    data: '/d',
    endpoints: endpointsOf(processes, given, places),
    secrets: {
      pageToken: 'a page token secret',
      acquirerEvents: 'a secret of events',
      developer: 'd',
      postgres: 'p',
    },
    given,
    databases: { order: { url: 'postgresql://app', ownerUrl: 'postgresql://owner' } },
    certificates: { order: { cert: '/c', key: '/k', ca: '/ca' } },
  };
}

function environment(name: string, given: SettingTexts = {}): Record<string, string> {
  const planned = processes.find((each): each is PlannedProcess => each.name === name);
  if (planned === undefined) throw new Error(`no ${name}`);
  return environmentOf(planned, planWith(given));
}

test('a process gets the settings it reads, and no others', () => {
  const order = environment('order-1');
  equal(order['MERCER_GRPC_PORT'], '50052');
  equal(order['MERCER_DATABASE_URL'], 'postgresql://app');
  equal(order['MERCER_REGISTRY_XDS'], '127.0.0.1:50060');
  equal(order['MERCER_OIDC_ISSUER'], 'http://127.0.0.1:9000');
  equal(order['MERCER_ACQUIRER_URL'], undefined);
  equal(environment('payment-1')['MERCER_ACQUIRER_URL'], 'http://127.0.0.1:9100');
});

test('nothing of the environment reaches a process but what it may inherit', () => {
  process.env['MERCER_WIRING_TEST'] = 'x';
  const names = Object.keys(environment('gateway-1'));
  delete process.env['MERCER_WIRING_TEST'];
  deepEqual(
    names.filter((name) => name === 'MERCER_WIRING_TEST' || name.startsWith('npm_')),
    [],
  );
  equal(environment('gateway-1')['PATH'], process.env['PATH']);
});

test("the user decides over what is shared, not over what is a process's own", () => {
  const order = environment('order-1', { 'zipkin.url': 'http://zipkin:9411', 'grpc.port': '1' });
  equal(order['MERCER_ZIPKIN_URL'], 'http://zipkin:9411');
  equal(order['MERCER_GRPC_PORT'], '50052');
});

test('the secret of the identity provider reaches it alone', () => {
  equal(environment('idp')['MERCER_DEV_SECRET'], 'd');
  for (const { name } of processes) {
    if (name !== 'idp' && name !== 'postgres') equal(environment(name)['MERCER_DEV_SECRET'], undefined);
  }
});

test('the acquirer posts its events to the gateway, signed with what the payment service checks them by', () => {
  const acquirer = environment('acquirer');
  equal(acquirer['MERCER_ACQUIRER_EVENT_URL'], 'http://127.0.0.1:8080/v1/payments:acquirerEvent');
  equal(acquirer['MERCER_ACQUIRER_EVENT_SECRET'], 'a secret of events');
  equal(environment('payment-1')['MERCER_ACQUIRER_EVENT_SECRET'], 'a secret of events');
  for (const name of ['order-1', 'gateway-1', 'idp'])
    equal(environment(name)['MERCER_ACQUIRER_EVENT_SECRET'], undefined);
  const given = { 'acquirer.event-secret': 'another secret of events' };
  equal(environment('acquirer', given)['MERCER_ACQUIRER_EVENT_SECRET'], 'another secret of events');
  equal(environment('payment-1', given)['MERCER_ACQUIRER_EVENT_SECRET'], 'another secret of events');
});

test('settings are taken from --set before the environment', () => {
  const given = givenSettings(['log.level=debug'], { MERCER_LOG_LEVEL: 'warn', MERCER_ZONE: 'a', HOME: '/' });
  deepEqual(given, { 'log.level': 'debug', zone: 'a' });
});

test('settings that do not exist or cannot be are refused by name', () => {
  throws(() => givenSettings(['log.levle=debug'], {}), {
    exitCode: 2,
    message: /--set: log\.levle is no setting/,
  });
  throws(() => givenSettings(['log.level=loud'], {}), { exitCode: 2, message: /log\.level must be one of/ });
  throws(() => givenSettings(['log.level'], {}), { exitCode: 2, message: /KEY=VALUE/ });
  throws(() => givenSettings([], { MERCER_LOG_LEVLE: 'debug' }), {
    exitCode: 78,
    message: /MERCER_LOG_LEVLE/,
  });
});
