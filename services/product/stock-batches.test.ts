/** Stock in batches: as exact as one by one, for one product or many, through one replica or two. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { openCommitCut } from '#fabric/data/commit-cut.fixture.ts';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Demand, Line } from './domain.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { stockBatches } from './stock-batches.ts';
import type { StockBatches } from './stock-batches.ts';
import { productStore } from './store.ts';

const testDatabase = await createTestDatabase({ entities, migrations });
const cut = await openCommitCut(testDatabase.url);
const stores = [
  productStore(await testDatabase.open()),
  productStore(await testDatabase.open()),
  productStore(await testDatabase.open(cut.url)),
] as const;
const [store] = stores;
const sizes: number[] = [];
const failures: unknown[] = [];
const [one, other, unlucky] = stores.map((each) =>
  stockBatches({
    store: {
      reserve: (demands, ttl) => noted(each.reserve(demands, ttl)),
      commit: (orderIds) => noted(each.commit(orderIds)),
      release: (orderIds) => noted(each.release(orderIds)),
    },
    reservationTtl: () => 60_000,
    sizes: () => (size) => sizes.push(size),
  }),
) as [StockBatches, StockBatches, StockBatches];
beforeEach(() => {
  sizes.length = 0;
  failures.length = 0;
});

test('64 buyers at once of 40 units: 40 get one, and few transactions are needed', async () => {
  const productId = await product(40);
  const outcomes = await reserveAll(
    one,
    Array.from({ length: 64 }, () => demand([line(productId)])),
  );
  assert.equal(outcomes.filter((each) => each === 'held').length, 40);
  assert.equal(outcomes.filter((each) => each === 'OUT_OF_STOCK').length, 24);
  assert.equal(await available(productId), 0);
  assert.ok(sizes.length <= 3, sizes.join());
});

test('64 buyers through two replicas never get more than there is, and all that there is', async () => {
  for (let round = 0; round < 5; round += 1) {
    const productId = await product(40);
    const buyers = (): Demand[] => Array.from({ length: 32 }, () => demand([line(productId)]));
    const outcomes = await Promise.all([reserveAll(one, buyers()), reserveAll(other, buyers())]);
    assert.equal(outcomes.flat().filter((each) => each === 'held').length, 40);
    assert.equal(await available(productId), 0);
  }
  assert.deepEqual(failures, [], 'no transaction had to be tried again');
});

test('crossed baskets through two replicas are held, sold and given back without a conflict', async () => {
  const [a, b] = [await product(500), await product(500)];
  const baskets = Array.from({ length: 60 }, (_, n) =>
    demand(n % 2 === 0 ? [line(a), line(b)] : [line(b), line(a)]),
  );
  const outcomes = await Promise.all(
    baskets.map(async (basket, n) => {
      const [here, there] = n % 3 === 0 ? [one, other] : [other, one];
      await here.reserve(basket);
      await there.commit(basket.orderId);
      return n % 4 === 0 ? here.release(basket.orderId) : there.commit(basket.orderId);
    }),
  );
  assert.deepEqual(new Set(outcomes.map((each) => each.refusal)), new Set([undefined]));
  assert.deepEqual([await available(a), await available(b)], [455, 455]);
  assert.deepEqual(failures, [], 'no transaction had to be tried again');
});

test('one order that is short is refused alone, and takes nothing from its neighbours', async () => {
  const [plenty, scarce] = [await product(100), await product(1)];
  const short = demand([line(plenty, 5), line(scarce, 2)]);
  const neighbours = Array.from({ length: 30 }, () => demand([line(plenty)]));
  const outcomes = await reserveAll(one, [...neighbours.slice(0, 15), short, ...neighbours.slice(15)]);
  assert.deepEqual(
    outcomes.map((each, n) => (n === 15 ? each === 'OUT_OF_STOCK' : each === 'held')),
    outcomes.map(() => true),
  );
  assert.deepEqual([await available(plenty), await available(scarce)], [70, 1]);
});

test('those who came first are served first', async () => {
  const productId = await product(3);
  const demands = [1, 2, 3].map((quantity) => demand([line(productId, quantity)]));
  assert.deepEqual(await reserveAll(one, demands), ['held', 'held', 'OUT_OF_STOCK']);
});

test('an order that the database cannot take fails alone', async () => {
  const productId = await product(5_000);
  const poison = demand([line(productId, 1_001)]);
  const neighbours = Array.from({ length: 20 }, () => demand([line(productId)]));
  const outcomes = await reserveAll(one, [...neighbours, poison]);
  assert.deepEqual(outcomes, [...neighbours.map(() => 'held'), 'internal error']);
  assert.equal(await available(productId), 4_980);
});

test('an order that asks many times at once holds its units once, and hears the same each time', async () => {
  const productId = await product(10);
  const basket = demand([line(productId, 3)]);
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? one : other).reserve(basket)),
  );
  for (const each of answers) assert.deepEqual(each, answers[0]);
  assert.equal(await available(productId), 7);
  assert.deepEqual(failures, [], 'no transaction had to be tried again');
});

test('an order that asks again for other lines at once is refused, and keeps the first', async () => {
  const productId = await product(10);
  const first = demand([line(productId, 3)]);
  const outcomes = await reserveAll(one, [first, { ...first, lines: [line(productId, 4)] }]);
  assert.deepEqual(outcomes, ['held', 'RESERVATION_MISMATCH']);
  assert.equal(await available(productId), 7);
});

test('a batch whose COMMIT was not answered is open for all of it, and each asks again without harm', async () => {
  const productId = await product(100);
  const demands = Array.from({ length: 10 }, () => demand([line(productId, 2)]));
  await unlucky.reserve(demand([line(productId)]));
  cut.cutNext();
  for (const outcome of await Promise.allSettled(demands.map((each) => unlucky.reserve(each)))) {
    assert.equal(outcome.status, 'rejected');
    assert.ok(outcome.reason instanceof StatusError);
    assert.equal(outcome.reason.code, status.UNAVAILABLE);
  }
  assert.equal(await available(productId), 79, 'it was committed all the same');
  assert.deepEqual(new Set(await reserveAll(unlucky, demands)), new Set(['held']));
  assert.equal(await available(productId), 79);
});

/** A batch is tried again in parts, which would hide a fault from its callers. */
function noted<T>(work: Promise<T>): Promise<T> {
  work.catch((error: unknown) => failures.push(error));
  return work;
}

function demand(lines: Line[]): Demand {
  return { orderId: randomUUID(), lines };
}

function line(productId: string, quantity = 1): Line {
  return { productId, quantity };
}

function reserveAll(replica: StockBatches, demands: readonly Demand[]): Promise<string[]> {
  return Promise.all(
    demands.map((each) =>
      replica.reserve(each).then(
        (held) => ('refusal' in held ? held.refusal.reason : 'held'),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
    ),
  );
}

async function product(stock: number): Promise<string> {
  const productId = randomUUID();
  const price = { currencyCode: 'USD', minorUnits: 9_900n };
  const text = { sku: '', displayName: 'Aurora', description: '', category: 'phones', imageUri: '' };
  await store.create({ productId, details: { ...text, price, attributes: {} }, stock });
  return productId;
}

async function available(productId: string): Promise<number> {
  return (await store.get(productId)).stockAvailable;
}
