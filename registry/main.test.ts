/** The registry as a process: instances find each other through it over mutual TLS, and its end costs nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { RegisterRequest, RegistryServiceService } from '#gen/mercer/registry/v1/registry_service.ts';
import { HealthCheckResponse_ServingStatus, HealthService } from '#gen/grpc/health/v1/health.ts';
import { register } from '#fabric/discovery/registration.ts';
import type { Registration } from '#fabric/discovery/registration.ts';
import { useXds } from '#fabric/discovery/xds.ts';
import { openAuthority } from '#fabric/identity/pki.ts';
import type { IssuedFiles } from '#fabric/identity/pki.ts';
import { readWorkloadCredentials } from '#fabric/identity/workload.ts';
import { openChannel } from '#fabric/rpc/channel.ts';
import { connect } from '#fabric/rpc/client.ts';
import { startServer } from '#fabric/rpc/server.ts';
import type { ServiceClient } from '#fabric/rpc/service-definition.ts';
import { createMetrics } from '#fabric/telemetry/metrics.ts';

const directory = await mkdtemp(path.join(tmpdir(), 'mercer-registry-main-'));
after(() => rm(directory, { recursive: true }));
const authority = await openAuthority(path.join(directory, 'ca'));
const registryFiles = await issued('svc/registry');
const product = readWorkloadCredentials(await issued('svc/product'));
const order = readWorkloadCredentials(await issued('svc/order'));
const silent = pino({ level: 'silent' });

type Registry = ServiceClient<typeof RegistryServiceService>;
type LogLine = { event?: string; grpcPort?: number; port?: number; restored?: number };
type Running = { child: ChildProcess; grpc: number; xds: number; lines: LogLine[] };

test('a killed registry forgets nobody: its clients call on, its leases are renewed', async (t) => {
  const first = await startRegistry(t);
  const backend = await startProduct(t);
  const { registration, events } = await registerProduct(t, { registry: first.grpc, port: backend });
  useXds({ server: `127.0.0.1:${first.xds}`, node: 'order-1', zone: '' });
  const channel = openChannel({ target: 'xds:///product', credentials: order });
  const health = connect(HealthService, channel);
  const serving = { status: HealthCheckResponse_ServingStatus.SERVING };
  const calls = async (count: number): Promise<void> => {
    for (let made = 0; made < count; made += 1)
      assert.deepEqual(await health.check({ service: '' }), serving);
  };

  await calls(5);
  await sleep(1_200);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  await calls(20);
  const second = await startRegistry(t, first);
  assert.equal(second.lines.find(({ event }) => event === 'leases_opened')?.restored, 1);
  for (let tenth = 0; tenth < 20; tenth += 1) {
    await calls(2);
    await sleep(100);
  }
  assert.deepEqual(events, ['registered']);

  // Before the service goes: grpc-js-xds holds a timer of 15 min, and so this process, for a vanished priority.
  channel.close();
  await registration.deregister();
  second.child.kill('SIGTERM');
  const [code] = (await once(second.child, 'exit')) as [number];
  assert.equal(code, 0);
});

test('who falls silent is gone when the lease ends, not before and within a second', async (t) => {
  const { grpc } = await startRegistry(t);
  const registry = registryAt(t, grpc);
  const counts = instanceCounts(registry);
  await counts.next();
  const start = performance.now();
  await registry.register(
    RegisterRequest.fromPartial({
      instance: { service: 'product', instanceId: 'silent', address: '127.0.0.1', port: 1 },
      ttl: { seconds: 2n },
    }),
  );
  assert.equal((await counts.next()).value, 1);
  assert.equal((await counts.next()).value, 0);
  const after = performance.now() - start;
  assert.ok(after >= 2_000 && after < 3_250, `${after} ms`);
});

test('a registry that was stopped for longer than a lease ends none that could not be renewed', async (t) => {
  const { child, grpc } = await startRegistry(t);
  const { registration, events } = await registerProduct(t, { registry: grpc, port: 1, ttl: 2_000 });
  t.after(() => registration.deregister());
  const counts = instanceCounts(registryAt(t, grpc));
  assert.equal((await counts.next()).value, 1);
  child.kill('SIGSTOP');
  await sleep(4_000);
  child.kill('SIGCONT');
  const changed = counts.next().then(({ value }) => value);
  assert.equal(await Promise.race([changed, sleep(1_500, 'nothing')]), 'nothing');
  assert.ok(!events.slice(1).includes('registered'), events.join());
});

test('the registry ends within seconds although streams are open', async (t) => {
  const { child, grpc } = await startRegistry(t);
  const states = instanceCounts(registryAt(t, grpc));
  await states.next();
  const last = assert.rejects(states.next(), { reason: 'REGISTRY_STOPPING' });
  const start = performance.now();
  child.kill('SIGTERM');
  await last;
  await once(child, 'exit');
  assert.ok(performance.now() - start < 3_000);
});

test('a registry that is told of etcd says that it cannot, and does not start', async (t) => {
  const child = spawnRegistry(t, { MERCER_ETCD_ENDPOINTS: '127.0.0.1:2379' });
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 78);
});

async function startRegistry(t: TestContext, at = { grpc: 0, xds: 0 }): Promise<Running> {
  const child = spawnRegistry(t, { MERCER_GRPC_PORT: String(at.grpc), MERCER_XDS_PORT: String(at.xds) });
  const lines: LogLine[] = [];
  assert.ok(child.stdout);
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as LogLine;
    lines.push(line);
    if (line.event !== 'serving') continue;
    child.stdout.resume();
    const xds = lines.find(({ event }) => event === 'xds_serving')?.port ?? 0;
    return { child, grpc: line.grpcPort ?? 0, xds, lines };
  }
  throw new Error(`the registry did not start: ${JSON.stringify(lines)}`);
}

function spawnRegistry(t: TestContext, env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    env: {
      MERCER_PKI_CERT: registryFiles.cert,
      MERCER_PKI_KEY: registryFiles.key,
      MERCER_PKI_CA: registryFiles.ca,
      MERCER_OIDC_ISSUER: 'http://127.0.0.1:9',
      MERCER_CONFIG_ADDRESS: '',
      MERCER_DATA_DIR: path.join(directory, t.name.replaceAll(/[^a-z]+/gu, '-')),
      ...env,
    },
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function startProduct(t: TestContext): Promise<number> {
  const server = await startServer({
    bind: '127.0.0.1:0',
    credentials: product,
    verifier: { verify: () => assert.fail('no tokens here') },
    log: silent,
    metrics: createMetrics('product').rpc,
    registrations: [],
  });
  server.setServing(true);
  t.after(() => server.drain(100));
  return server.port;
}

/** How many instances of product there are, at once and after each change. */
async function* instanceCounts(registry: Registry): AsyncGenerator<number> {
  for await (const { instances } of registry.watchInstances({ service: 'product' }, { timeout: 20_000 }))
    yield instances.length;
}

function registryAt(t: TestContext, port: number): Registry {
  const target = `127.0.0.1:${port}`;
  const channel = openChannel({ target, authority: 'registry', credentials: product });
  t.after(() => channel.close());
  return connect(RegistryServiceService, channel);
}

async function registerProduct(
  t: TestContext,
  { registry, port, ttl = 15_000 }: { registry: number; port: number; ttl?: number },
): Promise<{ registration: Registration; events: string[] }> {
  const events: string[] = [];
  const write = (line: string): void => void events.push((JSON.parse(line) as { event: string }).event);
  const registration = await register({
    registry: registryAt(t, registry),
    instance: { service: 'product', instanceId: 'product-1', address: '127.0.0.1', port },
    ttl,
    log: pino({ level: 'info' }, { write }),
  });
  return { registration, events };
}

function issued(identity: string): Promise<IssuedFiles> {
  return authority.issue(identity, { dir: path.join(directory, 'pki') });
}
