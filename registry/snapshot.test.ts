/** The snapshot of leases survives crashes and never lies. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '#fabric/telemetry/logger.ts';
import { openLeases } from './open-leases.ts';
import { readSnapshot, SnapshotWriter } from './snapshot.ts';
import type { KeptLeases, SnapshotOptions } from './snapshot.ts';

const instance = {
  service: 'product',
  instanceId: 'product-1',
  address: '127.0.0.1',
  port: 50051,
  zone: 'a',
  weight: 2,
  metadata: { version: '7' },
  status: 'UP',
} as const;
const kept: KeptLeases = {
  services: ['product'],
  leases: [{ leaseId: 'l-1', instance, ttl: 15_000 }],
  overrides: [{ service: 'product', instanceId: 'product-1', status: 'DRAINING' }],
  descriptorSets: { product: 'AQ==' },
};

async function place(t: TestContext): Promise<SnapshotOptions & { events: string[] }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mercer-snapshot-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const events: string[] = [];
  const destination = {
    write: (line: string) => void events.push((JSON.parse(line) as { event: string }).event),
  };
  const log = createLogger({ service: 'registry', instance: 'registry-1', level: 'info', destination });
  return { file: path.join(folder, 'deep', 'leases'), log, events };
}

async function written(options: SnapshotOptions): Promise<string> {
  await using writer = new SnapshotWriter(options, () => kept);
  writer.touch();
  await writer[Symbol.asyncDispose]();
  return readFile(options.file, 'utf8');
}

test('what was written is read back, and no draft is left', async (t) => {
  const options = await place(t);
  await written(options);
  assert.deepEqual(await readSnapshot(options), kept);
  assert.deepEqual(await readdir(path.dirname(options.file)), ['leases']);
  assert.deepEqual(options.events, []);
});

test('no file is no snapshot and no trouble', async (t) => {
  const options = await place(t);
  assert.equal(await readSnapshot(options), undefined);
  assert.deepEqual(options.events, []);
});

test('a file torn at any length, or changed, is ignored with an event', async (t) => {
  const options = await place(t);
  const whole = await written(options);
  const torn = [0, 1, 40, 90, whole.length - 30, whole.length - 2].map((length) => whole.slice(0, length));
  const bad = [...torn, whole.replace('50051', '50052'), '{}', '\0'.repeat(whole.length)];
  for (const content of bad) {
    await writeFile(options.file, content);
    assert.equal(await readSnapshot(options), undefined);
  }
  assert.deepEqual(
    options.events,
    bad.map(() => 'snapshot_ignored'),
  );
});

test('a draft that a crash left behind is neither read nor in the way', async (t) => {
  const options = await place(t);
  await written(options);
  await writeFile(`${options.file}.new`, 'half of it');
  assert.deepEqual(await readSnapshot(options), kept);
  await written(options);
  assert.deepEqual(await readSnapshot(options), kept);
});

test('changes within a second are written once', async (t) => {
  const options = await place(t);
  let taken = 0;
  await using writer = new SnapshotWriter(options, () => {
    taken += 1;
    return kept;
  });
  for (let change = 0; change < 100; change += 1) writer.touch();
  await sleep(1_200);
  assert.equal(taken, 1);
});

test('a folder that cannot be written is an event, not the end', async (t) => {
  const { log, events } = await place(t);
  const writer = new SnapshotWriter({ file: '/dev/null/leases', log }, () => kept);
  writer.touch();
  await writer[Symbol.asyncDispose]();
  assert.deepEqual(events, ['snapshot_failed']);
});

test('leases that are closed open again with the same ids', async (t) => {
  const options = await place(t);
  const first = await openLeases(options);
  const lease = await first.leases.register({ instance, ttl: 15_000, descriptorSet: new Uint8Array() });
  await first.close();
  const second = await openLeases(options);
  assert.equal(second.leases.find(lease.leaseId)?.restored, true);
  assert.notEqual(await second.leases.renew(lease.leaseId), undefined);
  await second.close();
});
