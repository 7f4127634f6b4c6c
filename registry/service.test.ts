/** RegistryService over mutual TLS: who may say what, and what is answered. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { InstanceStatus } from '#gen/mercer/registry/v1/instance.ts';
import type { Instance } from '#gen/mercer/registry/v1/instance.ts';
import {
  Lease_Mode,
  RegisterRequest,
  RegistryServiceService,
} from '#gen/mercer/registry/v1/registry_service.ts';
import type { KeepAliveRequest } from '#gen/mercer/registry/v1/registry_service.ts';
import { openAuthority } from '#fabric/identity/pki.ts';
import { readWorkloadCredentials } from '#fabric/identity/workload.ts';
import { runInCall } from '#fabric/rpc/call-context.ts';
import { openChannel } from '#fabric/rpc/channel.ts';
import { connect } from '#fabric/rpc/client.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { startServer } from '#fabric/rpc/server.ts';
import type { ServiceClient } from '#fabric/rpc/service-definition.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { createMetrics } from '#fabric/telemetry/metrics.ts';
import { MemoryLeases } from './leases.ts';
import { registryService } from './service.ts';

const { INSTANCE_STATUS_UP, INSTANCE_STATUS_DRAINING, INSTANCE_STATUS_OUT_OF_SERVICE } = InstanceStatus;
type Registry = ServiceClient<typeof RegistryServiceService>;
type LogLine = { event: string; caller?: string; service?: string; by?: string };

const directory = await mkdtemp(path.join(tmpdir(), 'mercer-registry-'));
const authority = await openAuthority(path.join(directory, 'ca'));
const lines: LogLine[] = [];
const write = (line: string): void => void lines.push(JSON.parse(line) as LogLine);
const log = pino({ level: 'info' }, { write });
const clock = (): number => performance.now();
const stopping = new AbortController();
const leases = new MemoryLeases(clock);
const server = await startServer({
  bind: '127.0.0.1:0',
  credentials: readWorkloadCredentials(await authority.issue('svc/registry', { dir: directory })),
  verifier: {
    verify: (role) => ({ issuer: 'x', subject: 'ann', roles: [role], scopes: [], expiresAt: new Date() }),
  },
  log,
  metrics: createMetrics('registry').rpc,
  registrations: [
    implement(RegistryServiceService, registryService({ leases, log, clock, stopping: stopping.signal })),
  ],
});
const product = await clientOf('svc/product');
const order = await clientOf('svc/order');
const developer = await clientOf('dev/alice');
after(async () => {
  await server.drain(1_000);
  await rm(directory, { recursive: true });
});

test('an instance registers, renews and leaves; a second leave and an unknown lease are NOT_FOUND', async () => {
  const { leaseId, ttl } = await product.register(registration('product-1'));
  assert.deepEqual(ttl, { seconds: 15n, nanos: 0 });
  const { expireTime } = await product.heartbeat({ leaseId });
  assert.ok(Math.abs((expireTime?.getTime() ?? 0) - Date.now() - 15_000) < 1_000);
  await product.deregister({ leaseId });
  await refuses(product.deregister({ leaseId }), 'NOT_FOUND LEASE_NOT_FOUND');
  await refuses(product.heartbeat({ leaseId }), 'NOT_FOUND LEASE_NOT_FOUND');
});

test('the lease time is clamped to 2 s and 5 min, and the answer says so', async () => {
  for (const [asked, granted] of [
    [0n, 2n],
    [1n, 2n],
    [7n, 7n],
    [301n, 300n],
    [-5n, 2n],
  ] as const) {
    const request = { ...registration('product-1'), ttl: { seconds: asked, nanos: 0 } };
    assert.deepEqual((await product.register(request)).ttl, { seconds: granted, nanos: 0 });
  }
});

test("nobody speaks for another's service, and each try is written down", async () => {
  const { leaseId } = await product.register(registration('product-1'));
  lines.length = 0;
  const attempts = [
    order.register(registration('product-2')),
    order.heartbeat({ leaseId }),
    order.deregister({ leaseId }),
    order.setInstanceStatus({ instanceId: 'product-1', status: INSTANCE_STATUS_DRAINING, reason: '' }),
  ];
  for (const attempt of attempts) await refuses(attempt, 'PERMISSION_DENIED NOT_OWN_SERVICE');
  const audit = lines.filter(({ event }) => event === 'audit_not_own_service');
  assert.deepEqual(
    audit.map(({ caller, service }) => [caller, service]),
    attempts.map(() => ['svc/order', 'product']),
  );
  await refuses(developer.register(registration('product-2')), 'PERMISSION_DENIED ACCESS_DENIED');
  assert.equal(leases.leases('product').length, 1);
});

test('what no client could dial or what is too big is refused by name', async () => {
  const wrong: [Partial<Instance>, RegExp][] = [
    [{ address: 'localhost' }, /instance\.address/],
    [{ address: '0.0.0.0' }, /instance\.address/],
    [{ port: 0 }, /instance\.port/],
    [{ port: 65_536 }, /instance\.port/],
    [{ instanceId: '' }, /instance\.instance_id/],
    [{ metadata: { big: 'x'.repeat(4_096) } }, /instance\.metadata/],
  ];
  for (const [more, message] of wrong)
    await refuses(product.register(registration('p', more)), 'INVALID_ARGUMENT INVALID_FIELD', message);
});

test('a descriptor set must be readable', async () => {
  const set = await readFile(new URL('../gen/mercer.binpb', import.meta.url));
  await product.register({ ...registration('product-1'), descriptorSet: set });
  assert.deepEqual(leases.descriptorSet('product'), set);
  for (const descriptorSet of [Buffer.from('not one'), set.subarray(0, 5_000)]) {
    const attempt = product.register({ ...registration('product-1'), descriptorSet });
    await refuses(attempt, 'INVALID_ARGUMENT DESCRIPTOR_SET_INVALID');
  }
});

test('heartbeats over one stream renew until a lease is unknown', async () => {
  const { leaseId } = await product.register(registration('product-1'));
  const times: (Date | undefined)[] = [];
  const beats = product.keepAlive(heartbeats(leaseId, leaseId, 'unknown', leaseId), { timeout: 5_000 });
  const stream = (async () => {
    for await (const { expireTime } of beats) times.push(expireTime);
  })();
  await refuses(stream, 'NOT_FOUND LEASE_NOT_FOUND');
  assert.equal(times.length, 2);
});

test('an operator drains an instance over its own word and over re-registration', async () => {
  await product.register(registration('product-1'));
  const asked = { instanceId: 'product-1', status: INSTANCE_STATUS_OUT_OF_SERVICE, reason: 'it smokes' };
  const told = await asAdmin(() => order.setInstanceStatus(asked));
  assert.equal(told.instance?.status, INSTANCE_STATUS_OUT_OF_SERVICE);
  assert.equal(lines.at(-1)?.by, 'ann');
  await product.register(registration('product-1'));
  assert.equal(leases.leases('product')[0]?.instance.status, 'OUT_OF_SERVICE');
  const up = await asAdmin(() => order.setInstanceStatus({ ...asked, status: INSTANCE_STATUS_UP }));
  assert.equal(up.instance?.status, INSTANCE_STATUS_UP);
});

test('an unknown instance is NOT_FOUND, one id at two services is the own one or ambiguous', async () => {
  const asked = { instanceId: 'shared', status: INSTANCE_STATUS_DRAINING, reason: '' };
  await refuses(product.setInstanceStatus(asked), 'NOT_FOUND INSTANCE_NOT_FOUND');
  await product.register(registration('shared'));
  await order.register(registration('shared', { service: 'order' }));
  assert.equal((await order.setInstanceStatus(asked)).instance?.service, 'order');
  const byOperator = asAdmin(() => developer.setInstanceStatus(asked));
  await refuses(byOperator, 'FAILED_PRECONDITION INSTANCE_AMBIGUOUS');
});

test('an ADMIN lists instances by name with age and mode; others may not', async () => {
  for (const { leaseId } of leases.leases()) await leases.end(leaseId);
  await order.register(registration('order-1', { service: 'order', weight: 3, metadata: { version: '7' } }));
  await product.register(registration('b'));
  await product.register(registration('a'));
  await refuses(product.listInstances({ service: '' }), 'UNAUTHENTICATED TOKEN_MISSING');
  const all = (await asAdmin(() => product.listInstances({ service: '' }))).instances;
  assert.deepEqual(
    all.map(({ instance, mode }) => [instance?.instanceId, mode]),
    ['order-1', 'a', 'b'].map((id) => [id, Lease_Mode.MODE_NORMAL]),
  );
  assert.equal(all[0]?.leaseAge?.seconds, 0n);
  assert.equal(all[0]?.instance?.weight, 3);
  assert.deepEqual(all[0]?.instance?.metadata, { version: '7' });
  const one = await asAdmin(() => product.listInstances({ service: 'order' }));
  assert.equal(one.instances.length, 1);
});

test('a watch begins with the whole state and tells each change, until the registry stops', async () => {
  const watch = product.watchInstances({ service: 'stock' }, { timeout: 10_000 })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value } = await watch.next();
    return value && [value.exists, value.instances.map(({ instanceId }: Instance) => instanceId)];
  };
  assert.deepEqual(await next(), [false, []]);
  const stock = await clientOf('svc/stock');
  const { leaseId } = await stock.register(registration('stock-1', { service: 'stock' }));
  assert.deepEqual(await next(), [true, ['stock-1']]);
  await stock.deregister({ leaseId });
  assert.deepEqual(await next(), [true, []]);
  const last = next();
  stopping.abort();
  await refuses(last, 'UNAVAILABLE REGISTRY_STOPPING');
});

function registration(instanceId: string, more: Partial<Instance> = {}): RegisterRequest {
  const place = { service: 'product', instanceId, address: '127.0.0.1', port: 50051 };
  return RegisterRequest.fromPartial({ instance: { ...place, ...more } });
}

async function* heartbeats(...ids: string[]): AsyncIterable<KeepAliveRequest> {
  for (const leaseId of ids) yield { leaseId };
}

async function clientOf(identity: string): Promise<Registry> {
  const credentials = readWorkloadCredentials(await authority.issue(identity, { dir: directory }));
  const channel = openChannel({ target: `127.0.0.1:${server.port}`, authority: 'registry', credentials });
  after(() => channel.close());
  return connect(RegistryServiceService, channel);
}

/** Calls in the name of a user whose role is ADMIN; the verifier above takes the token for the role. */
function asAdmin<T>(work: () => Promise<T>): Promise<T> {
  const deadline = new Date(Date.now() + 10_000);
  const call = { method: '', caller: undefined, user: undefined, requestId: '', deadline };
  return runInCall({ ...call, token: 'ADMIN', signal: new AbortController().signal }, work);
}

/** Expects a failure with a code and a reason, such as "NOT_FOUND LEASE_NOT_FOUND". */
async function refuses(call: Promise<unknown>, expected: string, message = /./u): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof StatusError, String(error));
    assert.equal(`${status[error.code]} ${error.reason}`, expected);
    assert.match(error.message, message);
    return true;
  });
}
