/** Tries the layout of a fabric's processes. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../root.ts';
import { planProcesses, PROGRAMS, SERVICE_NAMES, STOP_STAGES } from './processes.ts';
import type { PlannedProcess, Selection } from './processes.ts';

const EVERYTHING: Selection = { offset: 0, replicas: {}, only: [], elsewhere: [] };

function plan(selection: Partial<Selection>): PlannedProcess[] {
  let next = 20_000;
  return planProcesses({ ...EVERYTHING, ...selection }, () => (next += 1));
}

function names(processes: readonly PlannedProcess[]): string[] {
  return processes.map(({ name }) => name).sort();
}

test('each program has its main file', async () => {
  for (const { main } of PROGRAMS) if (main !== undefined) await access(join(ROOT, main));
});

test('an offset shifts every fixed port and no free one', () => {
  const product = plan({ offset: 100 }).find(({ name }) => name === 'product-1');
  equal(product?.ports['grpc'], 50_151);
  ok((product?.ports['http'] ?? 0) < 30_000);
});

test('further replicas take free ports', () => {
  const orders = plan({ replicas: { order: 3 } }).filter(({ program }) => program.service === 'order');
  deepEqual(names(orders), ['order-1', 'order-2', 'order-3']);
  const ports = orders.map(({ ports: { grpc } }) => grpc ?? 0);
  equal(ports[0], 50_052);
  equal(new Set(ports).size, 3);
});

test('only some are started with what they need, and with nothing else', () => {
  deepEqual(names(plan({ only: ['registry'] })), ['config-1', 'registry-1']);
  deepEqual(names(plan({ only: ['idp'] })), ['idp']);
});

test('what runs elsewhere is neither started nor waited for', () => {
  const processes = plan({ elsewhere: ['idp', 'collector'] });
  equal(processes.length, SERVICE_NAMES.length - 2);
  for (const { needs } of processes) ok(!needs.includes('idp'));
});

test('all stop, gateway first and PostgreSQL last, within 10 s', () => {
  deepEqual(STOP_STAGES.flatMap(({ services }) => services).sort(), [...SERVICE_NAMES].sort());
  deepEqual(STOP_STAGES[0]?.services, ['gateway']);
  deepEqual(STOP_STAGES.at(-1)?.services, ['postgres']);
  ok((STOP_STAGES.at(-1)?.by ?? Infinity) < 10_000);
});

test('a purchase under way has 5 s to end, and those who serve it are there until then', () => {
  const [gateway, ...others] = STOP_STAGES;
  ok((gateway?.by ?? 0) >= 6_000);
  // Leaving takes each about 0.4 s, most of it to let the news of it spread.
  others.forEach(({ by }, index) => ok(by - (STOP_STAGES[index]?.by ?? Infinity) >= 300));
});
