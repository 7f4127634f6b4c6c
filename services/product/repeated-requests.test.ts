/** A catalogue request that is sent again under its key has its effect once, whichever replica it reaches. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { connect } from '#fabric/rpc/client.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { as, serve } from '#fabric/rpc/served.fixture.ts';
import { Product } from '#gen/mercer/product/v1/product.ts';
import { CreateProductRequest, ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { productService } from './service.ts';
import { stockBatches } from './stock-batches.ts';
import { openChanges } from './open-changes.fixture.ts';
import { productStore } from './store.ts';

const testDatabase = await createTestDatabase({ entities, migrations });
const [one, other] = [await replica(), await replica()];

test('20 adjustments under one key, through two replicas, move the stock once and answer alike', async () => {
  const { productId } = await create({ stockAvailable: 10 });
  const requestId = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      as('ADMIN/ann', () =>
        (n % 2 === 0 ? one : other).adjustStock({ productId, delta: 5, reason: 'delivery', requestId }),
      ),
    ),
  );
  for (const each of answers) assert.deepEqual(each, answers[0]);
  assert.equal((await one.getProduct({ productId })).product?.stockAvailable, 15);
});

test('a creation under one key makes one product, also when the id is left to the server', async () => {
  const request = creation({ displayName: 'Twice', attributes: { b: '2', a: '1' } });
  const again = creation({ displayName: 'Twice', attributes: { a: '1', b: '2' } }, request.requestId);
  const answers = await Promise.all(
    [one, other, one, other].map((each, n) =>
      as('ADMIN/ann', () => each.createProduct(n < 2 ? request : again)),
    ),
  );
  for (const each of answers) assert.deepEqual(each, answers[0]);
});

test('a repetition gets the first answer, although the product has changed since', async () => {
  const { productId } = await create({ stockAvailable: 1 });
  const request = { productId, delta: 1, reason: '', requestId: randomUUID() };
  const first = await as('ADMIN/ann', () => one.adjustStock(request));
  await adjust(productId, 7);
  assert.deepEqual(await as('ADMIN/ann', () => other.adjustStock(request)), first);
});

test('one key for two bodies is refused, and the second body has no effect', async () => {
  const { productId } = await create({ stockAvailable: 1 });
  const requestId = randomUUID();
  await adjust(productId, 1, requestId);
  await assert.rejects(adjust(productId, 2, requestId), {
    code: status.FAILED_PRECONDITION,
    reason: 'IDEMPOTENCY_KEY_REUSED',
  });
  assert.equal((await one.getProduct({ productId })).product?.stockAvailable, 2);
});

test('a key is the own of its user and of its method', async () => {
  const { productId } = await create({ stockAvailable: 1 });
  const request = { productId, delta: 1, reason: '', requestId: randomUUID() };
  await as('ADMIN/ann', () => one.adjustStock(request));
  await as('ADMIN/bob', () => one.adjustStock(request));
  await as('ADMIN/ann', () => one.createProduct(creation({}, request.requestId)));
  assert.equal((await one.getProduct({ productId })).product?.stockAvailable, 3);
});

test('a refusal does not burn the key', async () => {
  const { productId } = await create({ stockAvailable: 1 });
  const requestId = randomUUID();
  await assert.rejects(adjust(productId, -2, requestId), { reason: 'OUT_OF_STOCK' });
  await assert.rejects(adjust('nothing', 1, requestId), { reason: 'PRODUCT_NOT_FOUND' });
  await adjust(productId, -1, requestId);
  const taken = creation({ productId });
  await assert.rejects(
    as('ADMIN/ann', () => one.createProduct(taken)),
    { reason: 'PRODUCT_EXISTS' },
  );
  await as('ADMIN/ann', () => one.createProduct(creation({}, taken.requestId)));
});

test('without a key each request stands for itself', async () => {
  const { productId } = await create({ stockAvailable: 1 });
  await adjust(productId, 1, '');
  await adjust(productId, 1, '');
  assert.equal((await one.getProduct({ productId })).product?.stockAvailable, 3);
});

async function replica() {
  const store = productStore(await testDatabase.open());
  const service = productService({
    store,
    stock: stockBatches({ store, reservationTtl: () => 60_000 }),
    changes: openChanges(store, testDatabase.url),
    pageTokens: pageTokens('a secret of the tests'),
  });
  const ends = { name: 'product', caller: 'svc/gateway' };
  return connect(ProductServiceService, await serve(implement(ProductServiceService, service), ends));
}

function creation(fields: Partial<Product>, requestId: string = randomUUID()): CreateProductRequest {
  const price = { currencyCode: 'USD', minorUnits: 9_900n };
  const product = Product.create({ displayName: 'Thing', price, ...fields });
  return CreateProductRequest.create({ product, requestId });
}

async function create(fields: Partial<Product>): Promise<Product> {
  const { product } = await as('ADMIN/ann', () => one.createProduct(creation(fields)));
  assert.ok(product !== undefined);
  return product;
}

function adjust(productId: string, delta: number, requestId: string = randomUUID()) {
  return as('ADMIN/ann', () => one.adjustStock({ productId, delta, reason: '', requestId }));
}
