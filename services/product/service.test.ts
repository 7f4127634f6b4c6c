/** ProductService as its callers see it: over gRPC, with the contract's rules in force. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { connect } from '#fabric/rpc/client.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { unpackDetails } from '#fabric/rpc/status-details.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { Product, Product_State } from '#gen/mercer/product/v1/product.ts';
import {
  CreateProductRequest,
  DeleteProductRequest,
  ListProductsRequest,
  ProductServiceService,
  UpdateProductRequest,
} from '#gen/mercer/product/v1/product_service.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { as, serve } from '#fabric/rpc/served.fixture.ts';
import { productService } from './service.ts';
import { stockBatches } from './stock-batches.ts';
import { openChanges } from './open-changes.fixture.ts';
import { productStore } from './store.ts';

const testDatabase = await createTestDatabase({ entities, migrations });
const store = productStore(await testDatabase.open());
const changes = openChanges(store, testDatabase.url);
const batches = stockBatches({ store, reservationTtl: () => 60_000 });
const service = productService({
  store,
  stock: batches,
  changes,
  pageTokens: pageTokens('a secret of the tests'),
});
const products = connect(
  ProductServiceService,
  await serve(implement(ProductServiceService, service), { name: 'product', caller: 'svc/order' }),
);

test('a created product reads back as it was written, with an etag of revision and stock', async () => {
  const productId = `aurora-${randomUUID()}`;
  const created = await create({ productId, displayName: 'Aurora', attributes: { color: 'black' } }, 7);
  const { product } = await products.getProduct({ productId });
  assert.deepEqual(product, created);
  assert.equal(product?.etag, '1-7');
  assert.equal(product.state, Product_State.STATE_ACTIVE);
  assert.deepEqual(product.price, { currencyCode: 'USD', minorUnits: 9_900n });
});

test('an id is made when none is chosen, and a chosen one is taken once', async () => {
  const made = await create({});
  assert.match(made.productId, /^[0-9a-f-]{36}$/u);
  await refuses(create({ productId: made.productId }), { reason: 'PRODUCT_EXISTS' });
});

test('a product that does not exist is named', async () => {
  await refuses(products.getProduct({ productId: 'nothing' }), {
    code: status.NOT_FOUND,
    reason: 'PRODUCT_NOT_FOUND',
    metadata: { product_id: 'nothing' },
  });
  const { productId } = await create({});
  await refuses(products.batchGetProducts({ productIds: [productId, 'neither'] }), {
    code: status.NOT_FOUND,
    metadata: { product_id: 'neither' },
  });
});

test('a batch is answered in the order asked, repetitions too', async () => {
  const ids = [(await create({})).productId, (await create({})).productId];
  const asked = [ids[1] ?? '', ids[0] ?? '', ids[1] ?? ''];
  const { products: answered } = await products.batchGetProducts({ productIds: asked });
  assert.deepEqual(
    answered.map((each) => each.productId),
    asked,
  );
});

test('every word must occur, in name, description or category, whatever its case', async () => {
  const marker = `z${randomUUID().slice(0, 8)}`;
  const écran = await create({
    displayName: `ÉCRAN ${marker}`,
    description: '100%_sure',
    category: 'tablets',
  });
  await create({ displayName: `Other ${marker}`, category: 'phones' });
  const search = async (query: string) => (await list({ query })).map((each) => each.productId);
  assert.deepEqual(await search(`${marker} écran`), [écran.productId]);
  assert.deepEqual(await search(`TABLET ${marker.toUpperCase()}`), [écran.productId]);
  assert.deepEqual(await search(`${marker} 0%_S`), [écran.productId]);
  assert.deepEqual(await search(`${marker} 0_%`), []);
  assert.equal((await search(marker)).length, 2);
});

test('category and stock narrow a list', async () => {
  const category = `c${randomUUID().slice(0, 8)}`;
  const full = await create({ category }, 1);
  const empty = await create({ category }, 0);
  const ids = async (inStock?: boolean) => (await list({ category, inStock })).map((each) => each.productId);
  assert.deepEqual(await ids(true), [full.productId]);
  assert.deepEqual(await ids(false), [empty.productId]);
  assert.deepEqual(await ids(), [empty.productId, full.productId]);
});

for (const orderBy of ['', 'price', 'price desc', 'name', 'create_time desc']) {
  test(`pages in order of "${orderBy}" hold every product once, in order`, async () => {
    const category = `c${randomUUID().slice(0, 8)}`;
    for (const [index, displayName] of [
      'beta',
      'Alpha',
      'alpha',
      'Éclair',
      'zeta',
      'Beta',
      'omega',
    ].entries())
      await create({
        category,
        displayName,
        price: { currencyCode: 'USD', minorUnits: BigInt(1 + (index % 3)) },
      });
    const paged: Product[] = [];
    let pageToken = '';
    do {
      const request = ListProductsRequest.create({ category, orderBy, pageSize: 2, pageToken });
      const page = await products.listProducts(request);
      paged.push(...page.products);
      pageToken = page.nextPageToken;
    } while (pageToken !== '' && paged.length < 20);
    assert.equal(paged.length, 7);
    assert.deepEqual(paged, await list({ category, orderBy, pageSize: 100 }));
    for (const [index, each] of paged.entries()) {
      const previous = paged[index - 1];
      if (previous !== undefined) assert.ok(inOrder(orderBy, previous, each), `${index} of ${orderBy}`);
    }
  });
}

test('a page token belongs to its query', async () => {
  const category = `c${randomUUID().slice(0, 8)}`;
  await create({ category });
  await create({ category });
  const first = ListProductsRequest.create({ category, pageSize: 1 });
  const { nextPageToken: pageToken } = await products.listProducts(first);
  assert.notEqual(pageToken, '');
  for (const change of [{ category: '' }, { orderBy: 'price' }, { query: 'x' }, { inStock: true }]) {
    await refuses(products.listProducts({ ...first, pageToken, ...change }), {
      reason: 'PAGE_TOKEN_INVALID',
    });
  }
  await refuses(products.listProducts({ ...first, pageSize: -1 }), { code: status.INVALID_ARGUMENT });
});

test('an update changes what its mask names, and raises the revision', async () => {
  const { productId, etag } = await create({ displayName: 'Before', description: 'stays' });
  const updated = await update({ productId, displayName: 'After', description: 'ignored' }, ['display_name']);
  assert.deepEqual([updated.displayName, updated.description], ['After', 'stays']);
  assert.notEqual(updated.etag, etag);
  assert.ok((updated.updateTime ?? 0) >= (updated.createTime ?? 1));
});

test('an etag is compared by revision alone: stock may move, details may not', async () => {
  const { productId, etag } = await create({}, 5);
  await as('ADMIN/ann', () =>
    products.adjustStock({ productId, delta: 3, reason: 'delivery', requestId: '' }),
  );
  const moved = await update({ productId, sku: 'one' }, ['sku'], etag);
  assert.equal(moved.etag, '2-8');
  await refuses(update({ productId, sku: 'two' }, ['sku'], etag), {
    code: status.ABORTED,
    reason: 'ETAG_MISMATCH',
  });
  await refuses(update({ productId, sku: 'two', etag }, ['sku']), { reason: 'ETAG_MISMATCH' });
  await refuses(update({ productId, sku: 'two' }, ['sku'], 'no etag'), { reason: 'ETAG_MISMATCH' });
});

test('a mask that names what only the server sets is refused; * and an empty mask leave it alone', async () => {
  const { productId } = await create({ displayName: 'Kept' }, 5);
  await refuses(update({ productId, stockAvailable: 9 }, ['stock_available']), {
    code: status.INVALID_ARGUMENT,
    metadata: { field: 'product.stock_available' },
  });
  const price = { currencyCode: 'USD', minorUnits: 1n };
  const state = Product_State.STATE_ARCHIVED;
  const all = await update({ productId, displayName: 'New', price, stockAvailable: 9, state }, ['*']);
  assert.deepEqual([all.displayName, all.stockAvailable, all.state], ['New', 5, Product_State.STATE_ACTIVE]);
  const some = await update({ productId, sku: 'S', stockAvailable: 9, state }, []);
  assert.deepEqual([some.displayName, some.sku, some.stockAvailable], ['New', 'S', 5]);
});

test('an archived product is not listed, not sold and not changed, and archiving it again answers it', async () => {
  const category = `c${randomUUID().slice(0, 8)}`;
  const { productId } = await create({ category }, 3);
  const archive = () =>
    as('ADMIN/ann', () => products.deleteProduct(DeleteProductRequest.create({ productId })));
  const { product } = await archive();
  assert.equal(product?.state, Product_State.STATE_ARCHIVED);
  assert.deepEqual(await archive(), { product });
  assert.deepEqual(await list({ category }), []);
  await refuses(reserve([{ productId, quantity: 1 }]), { reason: 'PRODUCT_ARCHIVED' });
  await refuses(update({ productId, sku: 'x' }, ['sku']), { reason: 'PRODUCT_ARCHIVED' });
  assert.deepEqual((await products.getProduct({ productId })).product, product);
});

test('stock below zero and above the limit is refused', async () => {
  const { productId } = await create({}, 5);
  const adjust = (delta: number) =>
    as('ADMIN/ann', () => products.adjustStock({ productId, delta, reason: '', requestId: '' }));
  await refuses(adjust(-6), {
    code: status.FAILED_PRECONDITION,
    metadata: { product_id: productId, requested: '6', available: '5' },
  });
  await refuses(adjust(1_000_000_000), { code: status.INVALID_ARGUMENT, metadata: { field: 'delta' } });
  await refuses(adjust(0), { code: status.INVALID_ARGUMENT });
  assert.equal((await adjust(-5)).product?.stockAvailable, 0);
});

test('a reservation answers name, price and expiry, and its shortage says of what and how much', async () => {
  const { productId } = await create({ displayName: 'Aurora' }, 5);
  const { lines, expireTime } = await reserve([{ productId, quantity: 2 }]);
  const unitPrice = { currencyCode: 'USD', minorUnits: 9_900n };
  assert.deepEqual(lines, [{ productId, displayName: 'Aurora', quantity: 2, unitPrice }]);
  assert.ok(Math.abs((expireTime?.getTime() ?? 0) - Date.now() - 60_000) < 5_000);
  const shortage = await refuses(reserve([{ productId, quantity: 4 }]), {
    code: status.FAILED_PRECONDITION,
    reason: 'OUT_OF_STOCK',
    metadata: { product_id: productId, requested: '4', available: '3' },
  });
  assert.deepEqual(
    shortage.details.map((detail) => detail.type),
    ['google.rpc.PreconditionFailure'],
  );
});

test('a basket in two currencies, of an unknown product, or with one twice is refused', async () => {
  const dollar = await create({}, 5);
  const euro = await create({ price: { currencyCode: 'EUR', minorUnits: 1n } }, 5);
  const line = (productId: string) => ({ productId, quantity: 1 });
  await refuses(reserve([line(dollar.productId), line(euro.productId)]), { reason: 'MIXED_CURRENCIES' });
  await refuses(reserve([line('nothing')]), { reason: 'PRODUCT_NOT_FOUND' });
  await refuses(reserve([line('a'), line('b'), line('a')]), {
    code: status.INVALID_ARGUMENT,
    metadata: { field: 'lines[2].product_id' },
  });
});

test('commit and release answer each order for itself, without a user', async () => {
  const { productId } = await create({}, 5);
  const orderId = randomUUID();
  await reserve([{ productId, quantity: 1 }], orderId.toUpperCase());
  const unknown = randomUUID();
  const { results } = await products.commitStock({ orderIds: [unknown, orderId, unknown.toUpperCase()] });
  assert.deepEqual(
    results.map((result) => [result.orderId, result.status?.code, reasonOf(result.status)]),
    [
      [unknown, status.NOT_FOUND, 'RESERVATION_NOT_FOUND'],
      [orderId, status.OK, undefined],
      [unknown.toUpperCase(), status.NOT_FOUND, 'RESERVATION_NOT_FOUND'],
    ],
  );
  const released = await products.releaseStock({ orderIds: [orderId, unknown] });
  assert.deepEqual(
    released.results.map((result) => result.status?.code),
    [status.OK, status.OK],
  );
  await refuses(reserve([{ productId, quantity: 1 }], unknown), { reason: 'RESERVATION_BARRED' });
});

test('an order whose batch failed says so beside those that were settled; when all failed, the call fails', async () => {
  const lost = randomUUID();
  const [good, bad] = [randomUUID(), randomUUID()];
  const stock = {
    ...batches,
    release: (orderId: string) =>
      orderId === good
        ? Promise.resolve({ orderId })
        : Promise.reject(new StatusError(status.UNAVAILABLE, 'away', { reason: 'DATABASE_UNAVAILABLE' })),
  };
  const half = productService({ store, stock, changes, pageTokens: pageTokens('another secret') });
  const ends = { name: 'product', caller: 'svc/order' };
  const client = connect(ProductServiceService, await serve(implement(ProductServiceService, half), ends));
  const { results } = await client.releaseStock({ orderIds: [bad, good] });
  assert.deepEqual(
    results.map((result) => [result.status?.code, reasonOf(result.status)]),
    [
      [status.UNAVAILABLE, 'DATABASE_UNAVAILABLE'],
      [status.OK, undefined],
    ],
  );
  await refuses(client.releaseStock({ orderIds: [bad, lost] }), { reason: 'DATABASE_UNAVAILABLE' });
});

test('a customer changes nothing in the catalogue, and only a user reserves', async () => {
  const request = CreateProductRequest.create({
    product: Product.create({ displayName: 'A', price: PRICE }),
  });
  await refuses(
    as('CUSTOMER/carl', () => products.createProduct(request)),
    { code: status.PERMISSION_DENIED },
  );
  await refuses(products.createProduct(request), { code: status.UNAUTHENTICATED });
  const lines = [{ productId: 'a', quantity: 1 }];
  await refuses(products.reserveStock({ orderId: randomUUID(), lines }), { code: status.UNAUTHENTICATED });
});

test('a watch tells changes of the products that it names, and ends with its caller', async () => {
  const [{ productId }, { productId: neighbour }] = [await create({}, 5), await create({}, 5)];
  const leaving = new AbortController();
  const seen: Product[] = [];
  const watching = (async () => {
    for await (const { product } of products.watchProducts(
      { productIds: [productId] },
      { signal: leaving.signal },
    ))
      if (product !== undefined) seen.push(product);
  })();
  await changes.begun;
  await reserve([{ productId: neighbour, quantity: 1 }]);
  await reserve([{ productId, quantity: 2 }]);
  for (let look = 0; look < 100 && seen.length === 0; look += 1) await sleep(20);
  assert.deepEqual(
    seen.map((each) => [each.productId, each.stockAvailable]),
    [[productId, 3]],
  );
  leaving.abort();
  await refuses(watching, { code: status.CANCELLED });
});

const PRICE = { currencyCode: 'USD', minorUnits: 9_900n };

async function create(fields: Partial<Product>, stock = 1): Promise<Product> {
  const defaults = { displayName: 'Thing', price: PRICE, stockAvailable: stock };
  const product = Product.create({ ...defaults, ...fields });
  const request = CreateProductRequest.create({ product });
  const { product: created } = await as('ADMIN/ann', () => products.createProduct(request));
  assert.ok(created !== undefined);
  return created;
}

async function update(fields: Partial<Product>, updateMask: string[], etag = ''): Promise<Product> {
  const request = UpdateProductRequest.create({ product: Product.create(fields), updateMask, etag });
  const { product } = await as('ADMIN/ann', () => products.updateProduct(request));
  assert.ok(product !== undefined);
  return product;
}

async function list(request: Partial<ListProductsRequest>): Promise<Product[]> {
  return (await products.listProducts(ListProductsRequest.create(request))).products;
}

function reserve(lines: { productId: string; quantity: number }[], orderId: string = randomUUID()) {
  return as('CUSTOMER/carl', () => products.reserveStock({ orderId, lines }));
}

function inOrder(orderBy: string, before: Product, after: Product): boolean {
  const prices = [before.price?.minorUnits ?? 0n, after.price?.minorUnits ?? 0n] as const;
  if (orderBy === 'price') return prices[0] <= prices[1];
  if (orderBy === 'price desc') return prices[0] >= prices[1];
  if (orderBy === 'name') return before.displayName.toLowerCase() <= after.displayName.toLowerCase();
  return (before.createTime ?? 0) >= (after.createTime ?? 0);
}

type Expected = { code?: status; reason?: string; metadata?: Record<string, string> };

async function refuses(call: Promise<unknown>, expected: Expected): Promise<StatusError> {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(failure instanceof StatusError, String(failure));
  const { code, reason, metadata } = failure;
  assert.deepEqual({ code, reason, metadata, ...expected }, { code, reason, metadata });
  return failure;
}

function reasonOf(rpcStatus: Parameters<typeof unpackDetails>[0] | undefined): string | undefined {
  return rpcStatus === undefined ? undefined : unpackDetails(rpcStatus).info?.reason;
}
