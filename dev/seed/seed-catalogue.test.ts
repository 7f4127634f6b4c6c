/** Filling a shop: what is there stays, what is missing comes, and a shop that is late is waited for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Product } from '#gen/mercer/product/v1/product.ts';
import { CATALOGUE } from './catalogue.ts';
import { seedCatalogue } from './seed-catalogue.ts';

/** A shop that holds ids and fails as told. */
function shop(refuse: (product: Product) => status | undefined = () => undefined) {
  const products = new Set<string>();
  let open = 0;
  let mostOpen = 0;
  const create = async (product: Product): Promise<void> => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    const code = products.has(product.productId) ? status.ALREADY_EXISTS : refuse(product);
    if (code !== undefined) throw new StatusError(code, 'refused');
    products.add(product.productId);
  };
  return { create, products, mostOpen: () => mostOpen };
}

test('an empty shop gets the whole catalogue, eight products at a time', async () => {
  const { create, products, mostOpen } = shop();
  assert.deepEqual(await seedCatalogue({ what: 'demo', create }), { created: CATALOGUE.length, existing: 0 });
  assert.equal(products.size, CATALOGUE.length);
  assert.equal(mostOpen(), 8);
});

test('seeding again changes nothing, and a larger number adds what is missing', async () => {
  const { create, products } = shop();
  await seedCatalogue({ what: 10, create });
  assert.deepEqual(await seedCatalogue({ what: 10, create }), { created: 0, existing: 10 });
  const more = CATALOGUE.length + 7;
  assert.deepEqual(await seedCatalogue({ what: more, create }), { created: more - 10, existing: 10 });
  assert.ok(products.has('sample-0007') && !products.has('sample-0008'));
});

test('none means none', async () => {
  const { create, products } = shop();
  assert.deepEqual(await seedCatalogue({ what: 'none', create }), { created: 0, existing: 0 });
  assert.equal(products.size, 0);
});

test('a product whose shop was not reached is tried again', async () => {
  const missed = new Set<string>();
  const { create, products } = shop(({ productId }) => {
    if (missed.has(productId)) return undefined;
    missed.add(productId);
    return status.UNAVAILABLE;
  });
  await seedCatalogue({ what: 3, create });
  assert.equal(products.size, 3);
});

test('any other failure ends it', async () => {
  const { create } = shop(() => status.PERMISSION_DENIED);
  await assert.rejects(seedCatalogue({ what: 3, create }), { code: status.PERMISSION_DENIED });
});
