/** The rules of one ADS stream, request by request, over a real port. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { endpointsIn, namesIn, RawAds } from './ads-client.fixture.ts';
import type { RawResponse } from './ads-client.fixture.ts';
import { AdsStream, MOST_NAMES } from './ads-stream.ts';
import { adsDefinition, CLUSTER, ENDPOINTS, LISTENER } from './envoy-protos.ts';
import { startTestRegistry } from './instances.fixture.ts';
import type { TestRegistry } from './instances.fixture.ts';
import { ResourceTable } from './resource-table.ts';

async function started(t: TestContext): Promise<{ registry: TestRegistry; ads: RawAds }> {
  const registry = await startTestRegistry();
  const ads = new RawAds(registry.ads.port);
  t.after(() => {
    ads[Symbol.dispose]();
    registry.ads.close();
  });
  return { registry, ads };
}

test('every name is answered at once, registered or not', async (t) => {
  const { registry, ads } = await started(t);
  await registry.register('product', 1001);
  for (const type_url of [LISTENER, CLUSTER, ENDPOINTS]) {
    ads.send({ type_url, resource_names: ['product', 'nobody'] });
    assert.deepEqual(namesIn(await ads.next()), ['nobody', 'product']);
  }
});

test('what is no name does not exist, and the stream goes on', async (t) => {
  const { ads } = await started(t);
  ads.send({ type_url: LISTENER, resource_names: ['a b', '\n', '', 'xdstp://a/b', 'x'.repeat(254)] });
  assert.deepEqual(namesIn(await ads.next()), []);
  ads.send({ type_url: CLUSTER, resource_names: ['product'] });
  assert.deepEqual(namesIn(await ads.next()), ['product']);
});

test('an ACK is not answered', async (t) => {
  const { ads } = await started(t);
  ads.send({ type_url: CLUSTER, resource_names: ['product'] });
  ads.ack(await ads.next(), ['product']);
  assert.equal(await ads.silence(), undefined);
});

test('a NACK is recorded with its node, and what was refused is not sent again', async (t) => {
  const { registry, ads } = await started(t);
  const node = { id: 'order-1', user_agent_name: 'gRPC Node Pure JS' };
  ads.send({ type_url: CLUSTER, resource_names: ['product'], node });
  const { nonce, version_info } = await ads.next();
  const error_detail = { code: 3, message: 'bad cluster' };
  ads.send({
    type_url: CLUSTER,
    resource_names: ['product'],
    response_nonce: nonce,
    version_info,
    error_detail,
  });
  assert.equal(await ads.silence(), undefined);
  const expected = { node: 'order-1', agent: 'gRPC Node Pure JS', type: CLUSTER, message: 'bad cluster' };
  assert.deepEqual(registry.ads.nacks(), [{ ...expected, version: version_info }]);
  assert.ok(registry.events.includes('xds_nack'));
});

test('a request with an old nonce is dropped whole', async (t) => {
  const { registry, ads } = await started(t);
  ads.send({ type_url: ENDPOINTS, resource_names: ['product'] });
  const first = await ads.next();
  await registry.register('product', 1001);
  const second = await ads.next();
  ads.ack(first, ['product', 'order']);
  assert.equal(await ads.silence(), undefined);
  ads.ack(second, ['product', 'order']);
  assert.deepEqual(namesIn(await ads.next()), ['order']);
});

test('a name that was given up and is wanted again is answered, although nothing changed', async (t) => {
  const { ads } = await started(t);
  ads.send({ type_url: ENDPOINTS, resource_names: ['product'] });
  const first = await ads.next();
  ads.ack(first, []);
  ads.ack(first, ['product']);
  assert.deepEqual(namesIn(await ads.next()), ['product']);
});

test('a new stream is answered in full even when it claims to have the current version', async (t) => {
  const { registry, ads } = await started(t);
  ads.send({ type_url: CLUSTER, resource_names: ['product'] });
  const { version_info } = await ads.next();
  using again = new RawAds(registry.ads.port);
  again.send({ type_url: CLUSTER, resource_names: ['product'], version_info });
  assert.deepEqual(namesIn(await again.next()), ['product']);
});

test('a listener or cluster that is added comes with all others, an assignment alone', async (t) => {
  const { ads } = await started(t);
  for (const [type_url, expected] of [
    [LISTENER, ['order', 'product']],
    [CLUSTER, ['order', 'product']],
    [ENDPOINTS, ['order']],
  ] as const) {
    ads.send({ type_url, resource_names: ['product'] });
    ads.ack(await ads.next(), ['product', 'order']);
    assert.deepEqual(namesIn(await ads.next()), expected);
  }
});

test('a change is told to those who asked for it and to nobody else', async (t) => {
  const { registry, ads } = await started(t);
  using other = new RawAds(registry.ads.port);
  ads.send({ type_url: ENDPOINTS, resource_names: ['product'] });
  other.send({ type_url: ENDPOINTS, resource_names: ['order'] });
  ads.ack(await ads.next(), ['product']);
  await other.next();
  const lease = await registry.register('product', 1001);
  const joined = await ads.next();
  assert.deepEqual(endpointsIn(joined), ['HEALTHY 1001']);
  ads.ack(joined, ['product']);
  await registry.leases.end(lease.leaseId);
  const left = await ads.next();
  assert.deepEqual([namesIn(left), endpointsIn(left)], [['product'], []]);
  assert.equal(await other.silence(), undefined);
});

test('changes within a short while are told together', async (t) => {
  const { registry, ads } = await started(t);
  ads.send({ type_url: ENDPOINTS, resource_names: ['product'] });
  let latest = await ads.next();
  let responses = 0;
  for (let port = 1001; port <= 1020; port += 1) {
    await registry.register('product', port);
    await sleep(1);
  }
  while (endpointsIn(latest).length < 20) {
    ads.ack(latest, ['product']);
    latest = await ads.next();
    responses += 1;
  }
  assert.ok(responses <= 5, `${responses} responses to 20 changes`);
});

test('while a response is under way changes wait, and only their latest version is sent', async () => {
  const { leases, register, ads } = await startTestRegistry();
  ads.close();
  const table = new ResourceTable({ leases, log: pino({ level: 'silent' }), epoch: 'e' });
  const sent: RawResponse[] = [];
  let done: () => void = () => undefined;
  const stream = new AdsStream({
    table,
    write: (bytes, callback) => {
      sent.push(
        adsDefinition().StreamAggregatedResources.responseDeserialize(bytes) as unknown as RawResponse,
      );
      done = callback;
    },
    warming: () => false,
    onNack: () => undefined,
    onExcess: () => undefined,
  });
  const nothing = {
    version_info: '',
    response_nonce: '',
    error_detail: null,
    node: null,
    resource_locators: [],
  };
  stream.receive({ ...nothing, type_url: ENDPOINTS, resource_names: ['product'] });
  for (const port of [1001, 1002, 1003]) {
    await register('product', port);
    table.refresh('product');
    stream.changed(ENDPOINTS, ['product']);
  }
  assert.deepEqual(sent.map(endpointsIn), [[]]);
  done();
  done();
  assert.deepEqual(sent.map(endpointsIn), [[], ['HEALTHY 1001', 'HEALTHY 1002', 'HEALTHY 1003']]);
});

test('two streams share a version but not a nonce sequence', async (t) => {
  const { registry, ads } = await started(t);
  using other = new RawAds(registry.ads.port);
  ads.send({ type_url: CLUSTER, resource_names: ['product'] });
  const first = await ads.next();
  ads.send({ type_url: LISTENER, resource_names: ['product'] });
  assert.notEqual((await ads.next()).nonce, first.nonce);
  other.send({ type_url: CLUSTER, resource_names: ['product'] });
  assert.equal((await other.next()).version_info, first.version_info);
});

test('a type that is not served is left unanswered, and the stream goes on', async (t) => {
  const { ads } = await started(t);
  ads.send({ type_url: 'type.googleapis.com/envoy.service.runtime.v3.Runtime', resource_names: ['x'] });
  assert.equal(await ads.silence(), undefined);
  ads.send({ type_url: CLUSTER, resource_names: ['product'] });
  assert.deepEqual(namesIn(await ads.next()), ['product']);
});

test('naming nothing means nothing to gRPC and everything to Envoy', async (t) => {
  const { registry, ads } = await started(t);
  await registry.register('product', 1001);
  ads.send({ type_url: CLUSTER, node: { id: 'order-1', user_agent_name: 'gRPC C-core linux' } });
  assert.equal(await ads.silence(), undefined);
  ads.send({ type_url: CLUSTER, resource_names: ['order'] });
  ads.ack(await ads.next(), []);
  assert.equal(await ads.silence(), undefined);
  using envoy = new RawAds(registry.ads.port);
  envoy.send({ type_url: CLUSTER, node: { id: 'edge-1', user_agent_name: 'envoy' } });
  const all = await envoy.next();
  assert.deepEqual(namesIn(all), ['product']);
  envoy.ack(all, []);
  await registry.register('payment', 1002);
  assert.deepEqual(namesIn(await envoy.next()), ['payment', 'product']);
});

test('a stream has at most a thousand names of a type', async (t) => {
  const { registry, ads } = await started(t);
  const names = Array.from({ length: MOST_NAMES + 5 }, (_, index) => `s${index}`);
  ads.send({ type_url: ENDPOINTS, resource_names: names });
  assert.equal(namesIn(await ads.next()).length, MOST_NAMES);
  assert.deepEqual(registry.events, ['ads_excess']);
});

test('a client of an earlier process keeps what it has until instances had time to return', async (t) => {
  const registry = await startTestRegistry({ warmUp: 600 });
  using ads = new RawAds(registry.ads.port);
  t.after(() => registry.ads.close());
  ads.send({ type_url: ENDPOINTS, resource_names: ['order', 'product'], version_info: 'earlier.7' });
  assert.equal(await ads.silence(), undefined);
  await registry.register('product', 1001);
  const returned = await ads.next();
  assert.deepEqual(endpointsIn(returned), ['HEALTHY 1001']);
  ads.ack(returned, ['order', 'product']);
  const vacant = await ads.next();
  assert.deepEqual([namesIn(vacant), endpointsIn(vacant)], [['order'], []]);
});

test('a client without a past is answered at once, however new the registry is', async (t) => {
  const { ads } = await started(t);
  ads.send({ type_url: ENDPOINTS, resource_names: ['product'] });
  assert.deepEqual(namesIn(await ads.next()), ['product']);
});
