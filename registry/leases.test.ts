/** Leases in memory, on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from './domain.ts';
import { MemoryLeases } from './leases.ts';
import type { Lease } from './leases.ts';

const NONE = new Uint8Array();

function instance(instanceId: string, more: Partial<Instance> = {}): Instance {
  const place = { service: 'product', instanceId, address: '127.0.0.1', port: 50051, zone: '', weight: 1 };
  return { ...place, metadata: {}, status: 'UP', ...more };
}

/** Sweeps as the running registry does while `ms` pass. */
function pass(time: { now: number }, leases: MemoryLeases, ms: number): Lease[] {
  const ended: Lease[] = [];
  const end = time.now + ms;
  while (time.now < end) {
    time.now = Math.min(time.now + leases.sweep().wait, end);
    ended.push(...leases.sweep().ended);
  }
  return ended;
}

function opened(kept?: ConstructorParameters<typeof MemoryLeases>[1]) {
  const time = { now: 1_000 };
  const leases = new MemoryLeases(() => time.now, kept);
  leases.sweep();
  const changes: string[] = [];
  leases.subscribe((service) => changes.push(service));
  const register = (each: Instance, ttl = 15_000): Promise<Lease> =>
    leases.register({ instance: each, ttl, descriptorSet: NONE });
  return { time, leases, changes, register };
}

test('a lease that is renewed lives on, one that is not is gone at its TTL', async () => {
  const { time, leases, changes, register } = opened();
  const kept = await register(instance('kept'));
  await register(instance('lost'));
  assert.deepEqual(pass(time, leases, 14_999), []);
  await leases.renew(kept.leaseId);
  assert.deepEqual(
    pass(time, leases, 1).map((lease) => lease.instance.instanceId),
    ['lost'],
  );
  assert.deepEqual(
    leases.leases('product').map((lease) => lease.instance.instanceId),
    ['kept'],
  );
  assert.deepEqual(changes, ['product', 'product', 'product']);
});

test('an ended lease is unknown: it cannot be renewed nor ended again', async () => {
  const { leases, register } = opened();
  const { leaseId } = await register(instance('one'));
  assert.equal(await leases.end(leaseId), true);
  assert.equal(await leases.end(leaseId), false);
  assert.equal(await leases.renew(leaseId), undefined);
  assert.equal(leases.knows('product'), true);
  assert.equal(leases.knows('never'), false);
});

test('the same service and instanceId replace the older lease', async () => {
  const { leases, register } = opened();
  const older = await register(instance('one'));
  const newer = await register(instance('one', { port: 50099 }));
  assert.equal(leases.find(older.leaseId), undefined);
  assert.deepEqual(
    leases.leases().map((lease) => [lease.leaseId, lease.instance.port]),
    [[newer.leaseId, 50099]],
  );
});

test('a registry that stood still for 40 s ends no lease that could not be renewed meanwhile', async () => {
  const { time, leases, register } = opened();
  await register(instance('one'));
  pass(time, leases, 5_000);
  time.now += 40_000;
  const { ended, stall } = leases.sweep();
  assert.deepEqual(ended, []);
  assert.ok(stall > 38_000);
  assert.equal(pass(time, leases, 8_900).length, 0);
  assert.equal(pass(time, leases, 1_100).length, 1);
});

test("an operator's word outlives re-registration until UP ends it", async () => {
  const { leases, register } = opened();
  const lease = await register(instance('one'));
  await leases.setStatus({ lease, status: 'OUT_OF_SERVICE', operator: true });
  await leases.end(lease.leaseId);
  const again = await register(instance('one'));
  assert.equal(again.instance.status, 'OUT_OF_SERVICE');
  const told = await leases.setStatus({ lease: again, status: 'UP', operator: true });
  assert.equal(told?.instance.status, 'UP');
  assert.equal((await register(instance('one'))).instance.status, 'UP');
});

test("a service's own word ends with its registration and does not undo an operator's", async () => {
  const { leases, register } = opened();
  const lease = await register(instance('one'));
  await leases.setStatus({ lease, status: 'DRAINING', operator: false });
  assert.equal(leases.find(lease.leaseId)?.instance.status, 'DRAINING');
  const again = await register(instance('one'));
  assert.equal(again.instance.status, 'UP');
  await leases.setStatus({ lease: again, status: 'OUT_OF_SERVICE', operator: true });
  const own = await leases.setStatus({ lease: again, status: 'UP', operator: false });
  assert.equal(own?.instance.status, 'OUT_OF_SERVICE');
});

test('an override of an instance that left is forgotten after a day, not while it is there', async () => {
  const { time, leases, register } = opened();
  const staying = await register(instance('staying'), 300_000);
  const leaving = await register(instance('leaving'), 300_000);
  for (const lease of [staying, leaving])
    await leases.setStatus({ lease, status: 'OUT_OF_SERVICE', operator: true });
  await leases.end(leaving.leaseId);
  for (let hour = 0; hour < 25; hour += 1) {
    await leases.renew(staying.leaseId);
    time.now += 3_600_000;
    leases.sweep();
  }
  assert.equal(leases.find(staying.leaseId)?.instance.status, 'OUT_OF_SERVICE');
  assert.equal((await register(instance('leaving'))).instance.status, 'UP');
});

test('what is kept over a restart gets one full TTL, its own status and the operator’s word', async () => {
  const first = opened();
  const draining = await first.register(instance('draining', { status: 'DRAINING' }), 4_000);
  const held = await first.register(instance('held'), 4_000);
  await first.leases.setStatus({ lease: held, status: 'OUT_OF_SERVICE', operator: true });
  pass(first.time, first.leases, 3_500);
  const { time, leases } = opened(first.leases.kept());
  assert.equal(leases.find(draining.leaseId)?.instance.status, 'DRAINING');
  assert.equal(leases.find(held.leaseId)?.instance.status, 'OUT_OF_SERVICE');
  assert.equal(leases.find(held.leaseId)?.restored, true);
  assert.deepEqual(pass(time, leases, 3_999), []);
  const renewed = await leases.renew(held.leaseId);
  assert.equal(renewed?.restored, false);
  assert.deepEqual(
    pass(time, leases, 1).map((lease) => lease.instance.instanceId),
    ['draining'],
  );
});

test('a descriptor set is that of the latest registration with one, while the service has an instance', async () => {
  const { leases, register } = opened();
  const { leaseId } = await leases.register({
    instance: instance('one'),
    ttl: 4_000,
    descriptorSet: Uint8Array.of(1),
  });
  const other = await register(instance('two'));
  assert.deepEqual(leases.descriptorSet('product'), Uint8Array.of(1));
  await leases.end(leaseId);
  assert.deepEqual(new MemoryLeases(() => 0, leases.kept()).descriptorSet('product'), Buffer.of(1));
  await leases.end(other.leaseId);
  assert.equal(leases.descriptorSet('product'), undefined);
});
