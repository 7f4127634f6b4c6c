/** The RPCs of ProductService: contract to store and back. */
import { randomUUIDv7 } from 'node:crypto';
import { keyedRequest } from '#fabric/data/idempotency.ts';
import type { Codec } from '#fabric/data/idempotency.ts';
import type { PageTokens } from '#fabric/rpc/page-token.ts';
import type { Handlers } from '#fabric/rpc/service-definition.ts';
import { badRequest, toStatusError } from '#fabric/rpc/status-error.ts';
import { toStatus } from '#fabric/rpc/status-details.ts';
import {
  AdjustStockRequest,
  AdjustStockResponse,
  CreateProductRequest,
  CreateProductResponse,
} from '#gen/mercer/product/v1/product_service.ts';
import type {
  ListProductsRequest,
  ListProductsResponse,
  ProductServiceService,
  ReserveStockRequest,
  ReserveStockResponse,
  StockResult,
  UpdateProductRequest,
} from '#gen/mercer/product/v1/product_service.ts';
import { orderOf } from './catalogue-query.ts';
import type { Position } from './catalogue-query.ts';
import { applyMask, complete } from './details.ts';
import { readRevision } from './etag.ts';
import type { ProductChanges } from './product-changes.ts';
import { toProduct } from './product-message.ts';
import { refused } from './refusals.ts';
import type { Settled } from './reservations.ts';
import type { StockBatches } from './stock-batches.ts';
import type { KeyedStore, ProductStore } from './store.ts';
import type { CatalogueProduct } from './entities.ts';

/** What the service stands on. */
export type ProductServiceOptions = {
  store: ProductStore;
  stock: StockBatches;
  changes: ProductChanges;
  pageTokens: PageTokens;
};

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 100;

/** Handlers for every RPC of ProductService. */
export function productService(options: ProductServiceOptions): Handlers<ProductServiceService> {
  const { store, stock, changes } = options;
  return {
    listProducts: (request) => listProducts(options, request),
    getProduct: ({ productId }) => answer(store.get(productId)),
    batchGetProducts: async ({ productIds }) => ({
      products: (await store.getMany(productIds)).map(toProduct),
    }),
    createProduct: (request, call) =>
      store.once({
        request: keyedRequest(call, request.requestId, withoutKey(CreateProductRequest, sorted(request))),
        response: CreateProductResponse,
        work: (keyed) => answer(createProduct(keyed, request)),
      }),
    updateProduct: (request) => answer(updateProduct(store, request)),
    deleteProduct: ({ productId, etag }) =>
      answer(store.archive({ productId, revision: readRevision(etag) })),
    adjustStock: (request, call) =>
      store.once({
        request: keyedRequest(call, request.requestId, withoutKey(AdjustStockRequest, request)),
        response: AdjustStockResponse,
        work: (keyed) => answer(keyed.adjust(request)),
      }),
    watchProducts: async function* ({ productIds }, call) {
      for await (const product of changes.watch(productIds, call.signal))
        yield { product: toProduct(product) };
    },
    reserveStock: (request) => reserveStock(stock, request),
    commitStock: async ({ orderIds }) => ({ results: await settle(orderIds, stock.commit) }),
    releaseStock: async ({ orderIds }) => ({ results: await settle(orderIds, stock.release) }),
  };
}

async function answer(
  product: Promise<CatalogueProduct>,
): Promise<{ product: ReturnType<typeof toProduct> }> {
  return { product: toProduct(await product) };
}

/** What makes two requests under one key the same. */
function withoutKey<Q extends { requestId: string }>(codec: Codec<Q>, request: Q): Uint8Array {
  return codec.encode({ ...request, requestId: '' }).finish();
}

/** A map has no order, and some languages send it in another one each time. */
function sorted({ product, ...request }: CreateProductRequest): CreateProductRequest {
  if (product === undefined) return { ...request, product };
  const attributes = Object.fromEntries(
    Object.entries(product.attributes).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return { ...request, product: { ...product, attributes } };
}

async function listProducts(
  { store, pageTokens }: ProductServiceOptions,
  request: ListProductsRequest,
): Promise<ListProductsResponse> {
  const { query, category, inStock, pageToken } = request;
  const orderBy = orderOf(request.orderBy);
  const bound = JSON.stringify(['products', query, category, inStock, orderBy]);
  const { products, next } = await store.list({
    words: query.split(/\s+/u).filter((word) => word !== ''),
    category: category === '' ? undefined : category,
    inStock,
    orderBy,
    after: pageToken === '' ? undefined : (pageTokens.read(bound, pageToken) as Position),
    limit: Math.min(request.pageSize === 0 ? DEFAULT_PAGE : request.pageSize, LARGEST_PAGE),
  });
  return {
    products: products.map(toProduct),
    nextPageToken: next === undefined ? '' : pageTokens.sign(bound, next),
  };
}

async function createProduct(store: KeyedStore, request: CreateProductRequest): Promise<CatalogueProduct> {
  const { product } = request;
  if (product === undefined) throw badRequest('product', 'value is required');
  return store.create({
    productId: request.productId || product.productId || randomUUIDv7(),
    details: complete(product),
    stock: product.stockAvailable,
  });
}

async function updateProduct(store: ProductStore, request: UpdateProductRequest): Promise<CatalogueProduct> {
  const { product, updateMask, etag } = request;
  if (product === undefined) throw badRequest('product', 'value is required');
  if (product.productId === '') throw badRequest('product.product_id', 'value is required');
  return store.update({
    productId: product.productId,
    revision: readRevision(etag || product.etag),
    change: (current) => applyMask(current, product, updateMask ?? []),
  });
}

async function reserveStock(
  stock: StockBatches,
  { orderId, lines }: ReserveStockRequest,
): Promise<ReserveStockResponse> {
  const productIds = lines.map((line) => line.productId);
  const twice = productIds.findIndex((productId, index) => productIds.indexOf(productId) < index);
  if (twice >= 0) throw badRequest(`lines[${twice}].product_id`, 'a product may occur in one line only');
  const held = await stock.reserve({ orderId: canonical(orderId), lines });
  if ('refusal' in held) throw refused(held.refusal);
  return {
    lines: held.lines.map(({ productId, displayName, quantity, currencyCode, unitPrice }) => ({
      productId,
      displayName,
      quantity,
      unitPrice: { currencyCode, minorUnits: unitPrice },
    })),
    expireTime: held.expireTime,
  };
}

/**
 * Settles orders, each in the batch that it gets into, and answers each in the place and the spelling in which
 * it was asked about. When none of them came to an outcome, the call fails as a whole.
 */
async function settle(
  orderIds: readonly string[],
  work: (orderId: string) => Promise<Settled>,
): Promise<StockResult[]> {
  const distinct = [...new Set(orderIds.map(canonical))];
  const settled = await Promise.allSettled(distinct.map(work));
  const failures = settled.filter((each) => each.status === 'rejected');
  if (failures.length === distinct.length) throw failures[0]?.reason;
  const outcomes = new Map(distinct.map((orderId, index) => [orderId, settled[index]]));
  return orderIds.map((orderId) => ({ orderId, status: toOutcome(outcomes.get(canonical(orderId))) }));
}

function toOutcome(settled: PromiseSettledResult<Settled> | undefined): NonNullable<StockResult['status']> {
  if (settled?.status !== 'fulfilled') return toStatus(toStatusError(settled?.reason));
  const { refusal } = settled.value;
  return refusal === undefined ? { code: 0, message: '', details: [] } : toStatus(refused(refusal));
}

/** One spelling of each id (RFC 9562, section 4). */
function canonical(orderId: string): string {
  return orderId.toLowerCase();
}
