/** The rules of leases, without a clock or a network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clampTtl,
  compensated,
  expired,
  problemOf,
  renewed,
  stalled,
  SWEEP,
  TTL,
  untilSweep,
} from './domain.ts';
import type { Instance } from './domain.ts';

const instance: Instance = {
  service: 'product',
  instanceId: 'product-1',
  address: '10.0.0.5',
  port: 50051,
  zone: '',
  weight: 1,
  metadata: {},
  status: 'UP',
};
const ttls = fc.integer({ min: TTL.least, max: TTL.most });
const times = fc.integer({ min: 0, max: 1e12 });

test('a lease time is 15 s unless asked for, and between 2 s and 5 min', () => {
  assert.equal(clampTtl(undefined), 15_000);
  assert.equal(clampTtl(Number.NaN), 15_000);
  assert.equal(clampTtl(-5), 2_000);
  assert.equal(clampTtl(Infinity), 300_000);
  assert.equal(clampTtl(4_500), 4_500);
});

test('a lease never ends before its TTL and is over with it', () => {
  fc.assert(
    fc.property(ttls, times, fc.integer({ min: 0, max: 600_000 }), (ttl, now, later) => {
      assert.equal(expired(renewed(ttl, now), now + later), later >= ttl);
    }),
  );
});

test('sweeps are compensated only for what they missed beyond another interval', () => {
  const gaps = [1_000, 1_900, 2_000, 11_000];
  assert.deepEqual(
    gaps.map((elapsed) => stalled(elapsed, SWEEP)),
    [0, 0, 0, 10_000],
  );
});

test('a compensated lease never lasts longer than a whole TTL from now', () => {
  fc.assert(
    fc.property(ttls, times, fc.integer({ min: 0, max: 1e9 }), (ttl, start, lost) => {
      const now = start + lost;
      const { expiresAt } = compensated(renewed(ttl, start), lost, now);
      assert.ok(expiresAt <= now + ttl);
      assert.ok(expiresAt >= start + ttl);
    }),
  );
});

test('the next sweep comes when a lease runs out, within a second', () => {
  assert.equal(untilSweep([], 0), 1_000);
  assert.equal(untilSweep([renewed(5_000, 0)], 0), 1_000);
  assert.equal(untilSweep([renewed(5_000, 0), renewed(5_000, -4_700)], 0), 300);
  assert.equal(untilSweep([renewed(5_000, -9_000)], 0), 1);
});

test('only what every client can dial may be registered', () => {
  for (const address of ['10.0.0.5', '127.0.0.1', '::1', '2001:db8::1'])
    assert.equal(problemOf({ ...instance, address }), undefined, address);
  for (const address of ['localhost', 'product.svc', '', '0.0.0.0', '::', 'fe80::1%eth0', '10.0.0.256'])
    assert.equal(problemOf({ ...instance, address })?.field, 'instance.address', address);
});

test('metadata holds at most 64 pairs and 4 KiB', () => {
  const pairs = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));
  assert.equal(problemOf({ ...instance, metadata: pairs(64) }), undefined);
  assert.equal(problemOf({ ...instance, metadata: pairs(65) })?.field, 'instance.metadata');
  assert.equal(problemOf({ ...instance, metadata: { k: 'x'.repeat(4_095) } }), undefined);
  assert.equal(problemOf({ ...instance, metadata: { k: 'x'.repeat(4_096) } })?.field, 'instance.metadata');
  assert.equal(problemOf({ ...instance, metadata: { k: 'é'.repeat(2_048) } })?.field, 'instance.metadata');
});
