/** Every change is told, in whichever order transactions commit, and a slow reader costs little. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { changeReader } from './change-reader.ts';
import type { CatalogueProduct } from './entities.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { openChanges } from './open-changes.fixture.ts';
import type { OpenChanges } from './open-changes.fixture.ts';
import { productStore } from './store.ts';

const testDatabase = await createTestDatabase({ entities, migrations });
const database = await testDatabase.open();
const store = productStore(database);
const writer = productStore(await testDatabase.open());

test('stock, price and archiving are told as they are then, each change of another process too', async () => {
  const productId = await product(10);
  const watch = await follow(openChanges(store, testDatabase.url), [productId]);
  await reserve(productId, 3);
  await watch.until((seen) => seen.at(-1)?.stockAvailable === 7);
  const price = { currencyCode: 'USD', minorUnits: 1n };
  await writer.update({ productId, revision: undefined, change: (each) => ({ ...each, price }) });
  await watch.until((seen) => seen.at(-1)?.priceMinor === 1n);
  await writer.archive({ productId, revision: undefined });
  await watch.until((seen) => seen.at(-1)?.state === 'ARCHIVED');
  await watch.stop();
});

test('a reader of all products hears of new ones; one that names some hears of these alone', async () => {
  const named = await product(5);
  const changes = openChanges(store, testDatabase.url);
  const all = await follow(changes, []);
  const some = await follow(changes, [named]);
  const created = await product(1);
  await reserve(named, 1);
  await all.until((seen) => [created, named].every((id) => seen.some((each) => each.productId === id)));
  await some.until((seen) => seen.length === 1);
  assert.deepEqual(new Set(some.seen.map((each) => each.productId)), new Set([named]));
  await Promise.all([all.stop(), some.stop()]);
});

test('a transaction that began early and commits late is told', async () => {
  const [early, late] = [await product(5), await product(5)];
  const watch = await follow(openChanges(store, testDatabase.url), [early, late]);
  const slow = database.em();
  await slow.begin();
  await slow.execute('update stock set available = 9, delivered = 9 where product_id = ?', [early]);
  await slow.execute(
    `insert into stock_ledger (product_id, kind, available, reserved, sold) values (?, 'DELIVER', 4, 0, 0)`,
    [early],
  );
  await reserve(late, 1);
  await watch.until((seen) => seen.some((each) => each.productId === late));
  await slow.commit();
  await watch.until((seen) => seen.some((each) => each.productId === early && each.stockAvailable === 9));
  await watch.stop();
});

test('a reservation that runs out is told, although nothing was written', async () => {
  const productId = await product(4);
  const watch = await follow(openChanges(store, testDatabase.url), [productId]);
  await reserve(productId, 4, 300);
  await watch.until((seen) => seen.at(-1)?.stockAvailable === 0);
  await watch.until((seen) => seen.at(-1)?.stockAvailable === 4);
  await watch.stop();
});

test('a sale of what was reserved changes nothing that anybody sees, and is not told', async () => {
  const [sold, after] = [await product(4), await product(4)];
  const watch = await follow(openChanges(store, testDatabase.url), [sold, after]);
  const orderId = await reserve(sold, 1);
  await watch.until((seen) => seen.length === 1);
  await writer.commit([orderId]);
  await reserve(after, 1);
  await watch.until((seen) => seen.some((each) => each.productId === after));
  await writer.adjust({ productId: sold, delta: 5, reason: 'delivery' });
  await watch.until((seen) => seen.at(-1)?.stockAvailable === 8);
  assert.deepEqual(
    watch.seen.map((each) => each.productId),
    [sold, after, sold],
  );
  await watch.stop();
});

test('changes are found without being heard of, too', async () => {
  const deaf = openChanges(store);
  const productId = await product(4);
  const watch = await follow(deaf, [productId]);
  await reserve(productId, 1);
  await watch.until((seen) => seen.at(-1)?.stockAvailable === 3);
  await watch.stop();
});

test('what is heard is told long before the next look', async () => {
  const productId = await product(1_000);
  const watch = await follow(openChanges(store, testDatabase.url), [productId]);
  const begun = performance.now();
  for (let stock = 999; stock > 989; stock -= 1) {
    await reserve(productId, 1);
    await watch.until((seen) => seen.at(-1)?.stockAvailable === stock);
  }
  assert.ok(performance.now() - begun < 5_000, 'ten looks take 9 s at least when nothing is heard');
  await watch.stop();
});

test('when the connections of a process are lost, it takes them up again and misses nothing', async () => {
  const productId = await product(10);
  const watch = await follow(openChanges(store, testDatabase.url), [productId]);
  await testDatabase.asOwner(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
  await reserve(productId, 1).catch(() => reserve(productId, 1));
  await watch.until((seen) => (seen.at(-1)?.stockAvailable ?? 10) < 10);
  await watch.stop();
});

test('a look that fails is made good by the next one', async () => {
  let failures = 0;
  const failing = {
    ...store,
    getMany: (productIds: readonly string[]) =>
      failures++ < 2 ? Promise.reject(new Error('the database is away')) : store.getMany(productIds),
  };
  const productId = await product(10);
  const watch = await follow(openChanges(failing, testDatabase.url), [productId]);
  await reserve(productId, 1);
  await watch.until((seen) => seen.at(-1)?.stockAvailable === 9);
  await watch.stop();
});

test('a reader that does not take what it is offered keeps each product once, as it was last', async () => {
  const reader = changeReader([]);
  const { signal } = new AbortController();
  const item = await store.get(await product(1));
  for (let stock = 0; stock < 5_000; stock += 1) reader.offer({ ...item, stockAvailable: stock });
  assert.equal((await reader.take(signal))?.stockAvailable, 4_999);
  for (let n = 0; n < 1_001; n += 1) reader.offer({ ...item, productId: `p-${n}` });
  await assert.rejects(reader.take(signal), { reason: 'WATCH_LAGGED' });
});

test('a process that stops ends its readers', async () => {
  const stopped = openChanges(store);
  const watch = await follow(stopped, []);
  await stopped.stop();
  await assert.rejects(watch.ended, { reason: 'PRODUCT_STOPPING' });
});

/** Reads in the background; resolves once changes are told. */
async function follow(from: OpenChanges, productIds: string[]) {
  const seen: CatalogueProduct[] = [];
  const leaving = new AbortController();
  const ended = (async () => {
    for await (const each of from.watch(productIds, leaving.signal)) seen.push(each);
  })();
  ended.catch(() => undefined);
  await from.begun;
  return {
    seen,
    ended,
    async until(condition: (seen: CatalogueProduct[]) => boolean): Promise<void> {
      for (let look = 0; look < 250 && !condition(seen); look += 1) await sleep(20);
      assert.ok(condition(seen), `seen: ${seen.map((each) => each.stockAvailable).join()}`);
    },
    async stop(): Promise<void> {
      leaving.abort();
      await ended;
    },
  };
}

async function product(stock: number): Promise<string> {
  const productId = randomUUID();
  const price = { currencyCode: 'USD', minorUnits: 9_900n };
  const text = { sku: '', displayName: 'Aurora', description: '', category: 'phones', imageUri: '' };
  await writer.create({ productId, details: { ...text, price, attributes: {} }, stock });
  return productId;
}

async function reserve(productId: string, quantity: number, ttl = 60_000): Promise<string> {
  const orderId = randomUUID();
  await writer.reserve([{ orderId, lines: [{ productId, quantity }] }], ttl);
  return orderId;
}
