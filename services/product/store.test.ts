/** Stock in PostgreSQL: no unit is lost or sold twice, whoever asks at the same time. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Details } from './details.ts';
import type { Line } from './domain.ts';
import { productStore } from './store.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';

const database = await (await createTestDatabase({ entities, migrations })).open();
const store = productStore(database);
const TTL = 60_000;

const DETAILS: Details = {
  sku: '',
  displayName: 'Aurora',
  description: '',
  category: 'phones',
  imageUri: '',
  price: { currencyCode: 'USD', minorUnits: 9_007_199_254n },
  attributes: { color: 'black' },
};

test('20 buyers of 5 units: 5 get one, 15 hear that it is out of stock', async () => {
  const productId = await product({ stock: 5 });
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () => reserve(randomUUID(), [{ productId, quantity: 1 }])),
  );
  assert.equal(outcomes.filter((outcome) => outcome === 'held').length, 5);
  assert.equal(outcomes.filter((outcome) => outcome === 'OUT_OF_STOCK').length, 15);
  assert.equal(await available(productId), 0);
});

test('crossed baskets do not wait for each other in a circle', async () => {
  const a = await product({ stock: 100 });
  const b = await product({ stock: 100 });
  const baskets = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? [a, b] : [b, a]));
  const outcomes = await Promise.all(
    baskets.map((basket) =>
      reserve(
        randomUUID(),
        basket.map((productId) => ({ productId, quantity: 1 })),
      ),
    ),
  );
  assert.deepEqual(new Set(outcomes), new Set(['held']));
  assert.deepEqual([await available(a), await available(b)], [60, 60]);
});

test('one order that asks many times at once holds its units once, at one price', async () => {
  const productId = await product({ stock: 10 });
  const orderId = randomUUID();
  const demand = { orderId, lines: [{ productId, quantity: 3 }] };
  const answers = await Promise.all(Array.from({ length: 10 }, () => store.reserve([demand], TTL)));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.equal(await available(productId), 7);
});

test('an order is held wholly or not at all, and a refusal leaves no trace', async () => {
  const plenty = await product({ stock: 10 });
  const scarce = await product({ stock: 1 });
  const orderId = randomUUID();
  const basket = [
    { productId: plenty, quantity: 2 },
    { productId: scarce, quantity: 2 },
  ];
  assert.equal(await reserve(orderId, basket), 'OUT_OF_STOCK');
  assert.equal(await available(plenty), 10);
  await store.adjust({ productId: scarce, delta: 1, reason: 'found one' });
  assert.equal(await reserve(orderId, basket), 'held');
});

test('in one set of orders each has an outcome of its own', async () => {
  const productId = await product({ stock: 3 });
  const demand = (quantity: number) => ({ orderId: randomUUID(), lines: [{ productId, quantity }] });
  const held = await store.reserve([demand(2), demand(2), demand(1)], TTL);
  assert.deepEqual(
    held.map((each) => ('refusal' in each ? each.refusal.reason : 'held')),
    ['held', 'OUT_OF_STOCK', 'held'],
  );
});

test('a reservation that has run out counts as free at once, for readers and for buyers', async () => {
  const productId = await product({ stock: 2 });
  await reserve(randomUUID(), [{ productId, quantity: 2 }], 50);
  assert.equal(await available(productId), 0);
  assert.equal(await reserve(randomUUID(), [{ productId, quantity: 1 }]), 'OUT_OF_STOCK');
  await sleep(60);
  assert.equal(await available(productId), 2);
  assert.equal(await reserve(randomUUID(), [{ productId, quantity: 2 }]), 'held');
  assert.equal(await available(productId), 0);
});

test('a reservation that has run out is still sold while nobody took its units', async () => {
  const productId = await product({ stock: 1 });
  const orderId = randomUUID();
  await reserve(orderId, [{ productId, quantity: 1 }], 0);
  assert.deepEqual(await store.commit([orderId]), [{ orderId }]);
  assert.equal(await available(productId), 0);
});

test('a commit takes lost units from the shelf again, or is refused when they are gone', async () => {
  const productId = await product({ stock: 2 });
  const early = randomUUID();
  await reserve(early, [{ productId, quantity: 1 }], 0);
  const rival = randomUUID();
  await reserve(rival, [{ productId, quantity: 2 }]);
  assert.equal(await commit(early), 'RESERVATION_EXPIRED');
  await store.release([rival]);
  assert.equal(await commit(early), 'done');
  assert.equal(await available(productId), 1);
});

test('a commit may use units whose own reservation has run out meanwhile', async () => {
  const productId = await product({ stock: 1 });
  const [first, second] = [randomUUID(), randomUUID()];
  await reserve(first, [{ productId, quantity: 1 }], 0);
  await reserve(second, [{ productId, quantity: 1 }], 0);
  assert.equal(await commit(first), 'done');
  assert.equal(await commit(second), 'RESERVATION_EXPIRED');
});

test('the same step twice is the same as once', async () => {
  const productId = await product({ stock: 5 });
  const orderId = randomUUID();
  await reserve(orderId, [{ productId, quantity: 2 }]);
  assert.equal(await commit(orderId), 'done');
  assert.equal(await commit(orderId), 'done');
  assert.equal(await available(productId), 3);
  await store.release([orderId]);
  await store.release([orderId]);
  assert.equal(await available(productId), 5);
  assert.equal(await commit(orderId), 'RESERVATION_RELEASED');
});

test('commit and release of one order at once have one winner, and no unit is lost', async () => {
  const productId = await product({ stock: 20 });
  const orders = Array.from({ length: 10 }, () => randomUUID());
  for (const orderId of orders) await reserve(orderId, [{ productId, quantity: 2 }]);
  await Promise.all(orders.flatMap((orderId) => [store.commit([orderId]), store.release([orderId])]));
  assert.equal(await available(productId), 20);
});

test('sets of orders that overlap are committed and released without a deadlock', async () => {
  const [a, b] = [await product({ stock: 50 }), await product({ stock: 50 })];
  const orders = Array.from({ length: 10 }, () => randomUUID());
  for (const orderId of orders) {
    await reserve(orderId, [
      { productId: a, quantity: 1 },
      { productId: b, quantity: 1 },
    ]);
  }
  const backwards = orders.toReversed();
  await Promise.all([
    store.commit(orders),
    store.commit(backwards),
    store.release(orders),
    store.release(backwards),
  ]);
  assert.deepEqual([await available(a), await available(b)], [50, 50]);
});

test('release before reserve bars the order', async () => {
  const productId = await product({ stock: 1 });
  const orderId = randomUUID();
  assert.deepEqual(await store.release([orderId]), [{ orderId }]);
  assert.equal(await reserve(orderId, [{ productId, quantity: 1 }]), 'RESERVATION_BARRED');
  assert.equal(await commit(orderId), 'RESERVATION_RELEASED');
  assert.equal(await available(productId), 1);
});

test('reserve and release of one order at once leave nothing held', async () => {
  const productId = await product({ stock: 10 });
  const orders = Array.from({ length: 10 }, () => randomUUID());
  await Promise.all(
    orders.flatMap((orderId) => [reserve(orderId, [{ productId, quantity: 1 }]), store.release([orderId])]),
  );
  assert.equal(await available(productId), 10);
});

test('an order that repeats itself with other lines is refused, and an unknown one has nothing to commit', async () => {
  const productId = await product({ stock: 9 });
  const orderId = randomUUID();
  await reserve(orderId, [{ productId, quantity: 1 }]);
  assert.equal(await reserve(orderId, [{ productId, quantity: 2 }]), 'RESERVATION_MISMATCH');
  assert.equal(await commit(randomUUID()), 'RESERVATION_NOT_FOUND');
});

test('an archived product is no longer sold, and stays readable', async () => {
  const productId = await product({ stock: 1 });
  await store.archive({ productId, revision: undefined });
  assert.equal((await store.get(productId)).state, 'ARCHIVED');
  assert.equal(await reserve(randomUUID(), [{ productId, quantity: 1 }]), 'PRODUCT_ARCHIVED');
});

test('taking stock away never goes below zero, also at once', async () => {
  const productId = await product({ stock: 5 });
  const taken = await Promise.allSettled(
    Array.from({ length: 10 }, () => store.adjust({ productId, delta: -1, reason: 'broken' })),
  );
  assert.equal(taken.filter((each) => each.status === 'fulfilled').length, 5);
  for (const each of taken) {
    if (each.status === 'rejected') assert.equal(reasonOf(each.reason), 'OUT_OF_STOCK');
  }
  assert.equal(await available(productId), 0);
});

test('taking stock away may use what has run out', async () => {
  const productId = await product({ stock: 1 });
  await reserve(randomUUID(), [{ productId, quantity: 1 }], 0);
  const taken = await store.adjust({ productId, delta: -1, reason: 'broken' });
  assert.equal(taken.stockAvailable, 0);
});

test('updates of one revision have one winner', async () => {
  const productId = await product({ stock: 1 });
  const update = (sku: string) =>
    store.update({ productId, revision: 1n, change: (current) => ({ ...current, sku }) });
  const outcomes = await Promise.allSettled([update('a'), update('b'), update('c')]);
  const refused = outcomes.filter((each) => each.status === 'rejected');
  assert.deepEqual(
    refused.map((each) => reasonOf(each.reason)),
    ['ETAG_MISMATCH', 'ETAG_MISMATCH'],
  );
  assert.equal((await store.get(productId)).revision, 2n);
});

test('an id is taken once, and its product keeps every value exactly', async () => {
  const productId = randomUUID();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, () => store.create({ productId, details: DETAILS, stock: 3 })),
  );
  assert.equal(outcomes.filter((each) => each.status === 'fulfilled').length, 1);
  const stored = await store.get(productId);
  assert.equal(stored.priceMinor, 9_007_199_254n);
  assert.deepEqual(stored.attributes, { color: 'black' });
  assert.equal(stored.stockAvailable, 3);
});

test('the app role cannot rewrite the ledger', async () => {
  for (const statement of ['update stock_ledger set sold = 0', 'delete from stock_ledger']) {
    await assert.rejects(database.em().execute(statement), /permission denied/u);
  }
});

test('what is reserved while a commit waits for its locks is not part of it', async () => {
  const productId = await product({ stock: 5 });
  const [first = '', late = ''] = [randomUUID(), randomUUID()].sort();
  await reserve(first, [line(productId, 1)]);
  const rival = database.em();
  await rival.begin();
  await rival.execute('select from reservation where order_id = ? for update', [first]);
  const committing = store.commit([first, late]);
  await someoneWaits();
  await reserve(late, [line(productId, 1)]);
  await rival.rollback();
  const reasons = (await committing).map((each) => each.refusal?.reason);
  assert.deepEqual(reasons, [undefined, 'RESERVATION_NOT_FOUND']);
  assert.equal(await commit(late), 'done');
});

test('a crowd that reserves, commits, releases and corrects at once never waits in a circle', async () => {
  const goods = await Promise.all(Array.from({ length: 5 }, () => product({ stock: 40 })));
  const orders = Array.from({ length: 150 }, () => randomUUID());
  const steps = fc.sample(crowdStep(goods, orders), { numRuns: 400, seed: 1 });
  const failures: (string | undefined)[] = [];
  const worker = async (): Promise<void> => {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      await step().catch((error: unknown) => failures.push(reasonOf(error)));
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  assert.deepEqual(
    failures.filter((failure) => failure !== 'OUT_OF_STOCK'),
    [],
  );
});

test('after all of it, available + reserved + sold is all that was ever delivered', async () => {
  const breaches = await database.em().execute<unknown[]>(
    `select product_id from stock
     left join lateral (
       select coalesce(sum(available), 0) as available, coalesce(sum(reserved), 0) as reserved,
         coalesce(sum(sold), 0) as sold, coalesce(sum(available + reserved + sold), 0) as delivered
       from stock_ledger where stock_ledger.product_id = stock.product_id
     ) as ledger on true
     left join lateral (
       select coalesce(sum(quantity) filter (where held), 0) as held,
         coalesce(sum(quantity) filter (where state = 'COMMITTED'), 0) as committed
       from reservation_line join reservation using (order_id)
       where reservation_line.product_id = stock.product_id
     ) as line on true
     where (stock.available, stock.reserved, stock.sold, stock.delivered)
         is distinct from (ledger.available, ledger.reserved, ledger.sold, ledger.delivered)
       or stock.reserved <> line.held or stock.sold <> line.committed`,
  );
  assert.deepEqual(breaches, []);
});

async function someoneWaits(): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    const waiting = await database
      .em()
      .execute<unknown[]>(
        `select 1 from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()`,
      );
    if (waiting.length > 0) return;
    await sleep(10);
  }
  assert.fail('nobody waits');
}

function crowdStep(goods: string[], orders: string[]): fc.Arbitrary<() => Promise<unknown>> {
  const few = fc.uniqueArray(fc.constantFrom(...orders), { minLength: 1, maxLength: 3 });
  const basket = fc.uniqueArray(fc.constantFrom(...goods), { minLength: 1, maxLength: 4 });
  const quantity = fc.integer({ min: 1, max: 3 });
  const reserving = fc
    .record({ orderId: fc.constantFrom(...orders), basket, quantity, ttl: fc.constantFrom(5, TTL) })
    .map(
      (each) => () =>
        reserve(
          each.orderId,
          each.basket.map((id) => line(id, each.quantity)),
          each.ttl,
        ),
    );
  return fc.oneof(
    { weight: 5, arbitrary: reserving },
    { weight: 2, arbitrary: few.map((ids) => () => store.commit(ids)) },
    { weight: 2, arbitrary: few.map((ids) => () => store.release(ids)) },
    {
      weight: 1,
      arbitrary: fc
        .record({
          productId: fc.constantFrom(...goods),
          delta: fc.constantFrom(-3, 4),
          reason: fc.constant(''),
        })
        .map((adjustment) => () => store.adjust(adjustment)),
    },
  );
}

function line(productId: string, quantity: number): Line {
  return { productId, quantity };
}

async function product({ stock }: { stock: number }): Promise<string> {
  const productId = randomUUID();
  await store.create({ productId, details: DETAILS, stock });
  return productId;
}

async function available(productId: string): Promise<number> {
  return (await store.get(productId)).stockAvailable;
}

async function reserve(orderId: string, lines: Line[], ttl = TTL): Promise<string> {
  const [held] = await store.reserve([{ orderId, lines }], ttl);
  assert.ok(held !== undefined);
  return 'refusal' in held ? held.refusal.reason : 'held';
}

async function commit(orderId: string): Promise<string> {
  const [settled] = await store.commit([orderId]);
  return settled?.refusal?.reason ?? 'done';
}

function reasonOf(error: unknown): string | undefined {
  return error instanceof StatusError ? error.reason : String(error);
}
