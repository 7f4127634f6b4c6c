/** A registration holds through forgotten leases and absent registries, and never troubles its service. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { RegistryServiceService } from '#gen/mercer/registry/v1/registry_service.ts';
import { openAuthority } from '../identity/pki.ts';
import { readWorkloadCredentials } from '../identity/workload.ts';
import { openChannel } from '../rpc/channel.ts';
import { connect } from '../rpc/client.ts';
import { implement, unimplemented } from '../rpc/implement.ts';
import { startServer } from '../rpc/server.ts';
import { StatusError } from '../rpc/status-error.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { register } from './registration.ts';
import type { Registration } from './registration.ts';

const directory = await mkdtemp(path.join(tmpdir(), 'mercer-discovery-'));
const authority = await openAuthority(path.join(directory, 'ca'));
const server = readWorkloadCredentials(await authority.issue('svc/registry', { dir: directory }));
const client = readWorkloadCredentials(await authority.issue('svc/product', { dir: directory }));
after(() => rm(directory, { recursive: true }));

/** A registry that grants 0.9 s whatever is asked, so that heartbeats are quick, and can forget its leases. */
class StubRegistry {
  readonly leases = new Map<string, string>();
  readonly calls: string[] = [];
  port = 0;
  #stop: () => Promise<void> = () => Promise.resolve();

  async start(): Promise<void> {
    const missing = (): Promise<never> => Promise.reject(unimplemented('it'));
    const started = await startServer({
      bind: `127.0.0.1:${this.port}`,
      credentials: server,
      verifier: { verify: () => assert.fail('no tokens here') },
      log: pino({ level: 'silent' }),
      metrics: createMetrics('registry').rpc,
      registrations: [
        implement(RegistryServiceService, {
          register: async ({ instance }) => {
            const leaseId = `lease-${this.calls.push('register')}`;
            this.leases.set(leaseId, instance?.instanceId ?? '');
            return { leaseId, ttl: { seconds: 0n, nanos: 900_000_000 } };
          },
          heartbeat: async ({ leaseId }) => {
            this.calls.push('heartbeat');
            if (this.leases.has(leaseId)) return { expireTime: new Date() };
            throw new StatusError(status.NOT_FOUND, 'who?', { reason: 'LEASE_NOT_FOUND' });
          },
          deregister: async ({ leaseId }) => {
            this.calls.push('deregister');
            this.leases.delete(leaseId);
            return {};
          },
          keepAlive: () => {
            throw unimplemented('it');
          },
          setInstanceStatus: missing,
          listInstances: missing,
          setTraffic: missing,
          watchInstances: () => {
            throw unimplemented('it');
          },
        }),
      ],
    });
    this.port = started.port;
    this.#stop = () => started.drain(100);
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

async function registered(
  t: TestContext,
  registry: StubRegistry,
  events: string[] = [],
): Promise<Registration> {
  const target = { target: `127.0.0.1:${registry.port}`, authority: 'registry', credentials: client };
  const channel = openChannel(target);
  const write = (line: string): void => void events.push((JSON.parse(line) as { event: string }).event);
  const registration = await register({
    registry: connect(RegistryServiceService, channel),
    instance: { service: 'product', instanceId: 'product-1', address: '127.0.0.1', port: 50051 },
    ttl: 15_000,
    log: pino({ level: 'info' }, { write }),
  });
  t.after(async () => {
    await registration.deregister();
    channel.close();
    await registry.stop();
  });
  return registration;
}

async function eventually(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!holds() && Date.now() < end) await sleep(20);
  assert.ok(holds());
}

test('heartbeats come at a third of the lease time that was granted, jittered', async (t) => {
  const registry = new StubRegistry();
  await registry.start();
  await registered(t, registry);
  await sleep(2_000);
  const heartbeats = registry.calls.filter((call) => call === 'heartbeat').length;
  assert.ok(heartbeats >= 5 && heartbeats <= 8, `${heartbeats} in 2 s at 240 to 360 ms`);
});

test('a forgotten lease is asked for again at once with the same instanceId', async (t) => {
  const registry = new StubRegistry();
  await registry.start();
  await registered(t, registry);
  registry.leases.clear();
  await eventually(() => registry.leases.size === 1);
  assert.deepEqual([...registry.leases.values()], ['product-1']);
  assert.deepEqual(registry.calls.slice(0, 3), ['register', 'heartbeat', 'register']);
});

test('a service starts without a registry and registers when it comes', async (t) => {
  const registry = new StubRegistry();
  await registry.start();
  await registry.stop();
  const events: string[] = [];
  await registered(t, registry, events);
  await sleep(1_000);
  assert.deepEqual(events, ['registry_refused']);
  await registry.start();
  await eventually(() => events.length === 2);
  assert.deepEqual(events, ['registry_refused', 'registered']);
  assert.equal(registry.leases.size, 1);
});

test('a registry that goes away and comes back is found again within seconds', async (t) => {
  const registry = new StubRegistry();
  await registry.start();
  await registered(t, registry);
  await registry.stop();
  registry.leases.clear();
  await sleep(1_500);
  await registry.start();
  await eventually(() => registry.leases.size === 1);
});

test('leaving ends the lease and the heartbeats, a second leave does nothing', async (t) => {
  const registry = new StubRegistry();
  await registry.start();
  const registration = await registered(t, registry);
  await registration.deregister();
  assert.equal(registry.leases.size, 0);
  const calls = registry.calls.length;
  await registration.deregister();
  await sleep(500);
  assert.equal(registry.calls.length, calls);
});

test('leaving a registry that is away neither fails nor lasts', async (t) => {
  const registry = new StubRegistry();
  await registry.start();
  const registration = await registered(t, registry);
  await registry.stop();
  const start = performance.now();
  await registration.deregister();
  assert.ok(performance.now() - start < 4_000);
});
