/** Leases are renewed while an order is in hand, all at once, and neither before it matters nor for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Order } from './domain.ts';
import { leases } from './leases.ts';
import { memoryStore } from './memory-store.fixture.ts';

/** Generous, because the machine may be busy; only their order counts. */
const TIMES = { every: 40, longest: 10_000, soon: 0 };

test('orders in hand are renewed together, and no more once they are out of hand', async () => {
  const { renewed, keeper } = recorded(TIMES);
  const [one, other] = [order('one'), order('other')];
  await Promise.all([keeper.hold(one, () => sleep(150)), keeper.hold(other, () => sleep(150))]);
  const times = renewed.length;
  assert.ok(times >= 1);
  assert.deepEqual(renewed[0], ['one', 'other']);
  await sleep(150);
  assert.equal(renewed.length, times);
});

test('work that is over soon is not renewed', async () => {
  const { renewed, keeper } = recorded({ ...TIMES, soon: 5_000 });
  await keeper.hold(order('one'), () => sleep(150));
  assert.deepEqual(renewed, []);
});

test('work that hangs is not renewed for ever, and what is taken in hand after it still is', async () => {
  const { renewed, keeper } = recorded({ ...TIMES, longest: 100 });
  void keeper.hold(order('hung'), () => new Promise(() => undefined));
  await sleep(300);
  renewed.length = 0;
  await keeper.hold(order('one'), () => sleep(90));
  assert.deepEqual([...new Set(renewed.flat())], ['one']);
});

test('a renewal that fails is made up for by the next one, and does not harm the work', async () => {
  let times = 0;
  const keeper = leases({ renew: () => Promise.reject(new Error(`away, ${(times += 1)}`)) }, TIMES);
  assert.equal(await keeper.hold(order('one'), () => sleep(200, 'done')), 'done');
  assert.ok(times >= 2);
});

function recorded(times: typeof TIMES): { renewed: string[][]; keeper: ReturnType<typeof leases> } {
  const renewed: string[][] = [];
  const renew = async (orders: readonly Order[]): Promise<void> => {
    renewed.push(orders.map(({ orderId }) => orderId));
  };
  return { renewed, keeper: leases({ renew }, times) };
}

function order(orderId: string): Order {
  return memoryStore().begin({ orderId, customerId: 'alice', items: [] });
}
