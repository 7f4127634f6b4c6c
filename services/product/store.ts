/** Keeps products and their stock in PostgreSQL. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { LockMode } from '@mikro-orm/postgresql';
import { status } from '@grpc/grpc-js';
import { fromDatabaseError } from '#fabric/data/database-error.ts';
import type { Database } from '#fabric/data/database.ts';
import { once } from '#fabric/data/idempotency.ts';
import type { KeyedWork } from '#fabric/data/idempotency.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { listProducts } from './catalogue-query.ts';
import type { CataloguePage, CatalogueQuery } from './catalogue-query.ts';
import { changedProducts, presentMoment } from './changed-products.ts';
import type { Moment } from './changed-products.ts';
import type { Details } from './details.ts';
import { adjust, movement } from './domain.ts';
import type { Demand } from './domain.ts';
import { CatalogueEntity, ProductEntity } from './entities.ts';
import type { CatalogueProduct } from './entities.ts';
import { productArchived, productNotFound, refused } from './refusals.ts';
import { commitStock, holdStock, releaseStock } from './reservations.ts';
import type { Held, Settled } from './reservations.ts';
import { lockShelf, post, reclaimExpired } from './stock-ledger.ts';

/** A change of a product, made of what it is now. */
export type Change = {
  productId: string;
  /** The revision that the product must still have; any when undefined. */
  revision: bigint | undefined;
  change: (current: Details) => Details;
};

/** Products and stock, kept durably. Each call is one transaction; failures are StatusErrors. */
export type ProductStore = {
  /** NOT_FOUND with reason PRODUCT_NOT_FOUND when there is none; archived products are found. */
  get(productId: string): Promise<CatalogueProduct>;
  /** In the order asked; NOT_FOUND naming the first id that does not exist. */
  getMany(productIds: readonly string[]): Promise<CatalogueProduct[]>;
  list(query: CatalogueQuery): Promise<CataloguePage>;
  /** ALREADY_EXISTS with reason PRODUCT_EXISTS when the id is taken. */
  create(product: { productId: string; details: Details; stock: number }): Promise<CatalogueProduct>;
  /** ABORTED with reason ETAG_MISMATCH when the revision is another; an archived product is not changed. */
  update(change: Change): Promise<CatalogueProduct>;
  /** Archives; an archived product stays as it is. */
  archive(product: Omit<Change, 'change'>): Promise<CatalogueProduct>;
  /** Adds to the shelf, or takes from it; FAILED_PRECONDITION with reason OUT_OF_STOCK below zero. */
  adjust(adjustment: { productId: string; delta: number; reason: string }): Promise<CatalogueProduct>;
  /** Answers a request once for its key, whatever it writes with it; see once in idempotency.ts. */
  once<R>(keyed: KeyedWork<R, (store: KeyedStore) => Promise<R>>): Promise<R>;
  /** Holds stock for `ttl` ms; see holdStock. */
  reserve(demands: readonly Demand[], ttl: number): Promise<Held[]>;
  commit(orderIds: readonly string[]): Promise<Settled[]>;
  release(orderIds: readonly string[]): Promise<Settled[]>;
  moment(): Promise<Moment>;
  /** See changedProducts. */
  changedSince(since: Moment): Promise<{ productIds: string[]; now: Moment }>;
};

/** What a request may write together with its key. */
export type KeyedStore = Pick<ProductStore, 'create' | 'adjust'>;

/** The store behind the product service. */
export function productStore(database: Database): ProductStore {
  const read = <T>(work: (em: EntityManager) => Promise<T>): Promise<T> => guarded(() => work(database.em()));
  const write = <T>(work: (tx: EntityManager) => Promise<T>): Promise<T> =>
    guarded(() => database.em().transactional(work));
  return {
    get: (productId) => read((em) => find(em, productId)),
    getMany: (productIds) => read((em) => findMany(em, productIds)),
    list: (query) => read((em) => listProducts(em, query)),
    create: (product) => write((tx) => create(tx, product)),
    update: (change) => write((tx) => update(tx, change)),
    archive: (product) => write((tx) => archive(tx, product)),
    adjust: (adjustment) => write((tx) => adjustStock(tx, adjustment)),
    once: ({ work, ...keyed }) => once(database, { ...keyed, work: (tx) => work(keyedStore(tx)) }),
    reserve: (demands, ttl) => write((tx) => holdStock(tx, demands, ttl)),
    commit: (orderIds) => write((tx) => commitStock(tx, orderIds)),
    release: (orderIds) => write((tx) => releaseStock(tx, orderIds)),
    moment: () => read(presentMoment),
    changedSince: (since) => read((em) => changedProducts(em, since)),
  };
}

function keyedStore(tx: EntityManager): KeyedStore {
  return {
    create: (product) => create(tx, product),
    adjust: (adjustment) => adjustStock(tx, adjustment),
  };
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fromDatabaseError(error);
  }
}

async function find(em: EntityManager, productId: string): Promise<CatalogueProduct> {
  // Read anew: the view shows what this transaction has just written to its tables.
  const product = await em.findOne(CatalogueEntity, { productId }, { disableIdentityMap: true });
  if (product === null) throw productNotFound(productId);
  return product;
}

async function findMany(em: EntityManager, productIds: readonly string[]): Promise<CatalogueProduct[]> {
  const found = await em.find(CatalogueEntity, { productId: { $in: [...productIds] } });
  const byId = new Map(found.map((product) => [product.productId, product]));
  return productIds.map((productId) => {
    const product = byId.get(productId);
    if (product === undefined) throw productNotFound(productId);
    return product;
  });
}

async function create(
  tx: EntityManager,
  { productId, details, stock }: { productId: string; details: Details; stock: number },
): Promise<CatalogueProduct> {
  const inserted = await tx.execute<unknown[]>(
    `insert into product (product_id, sku, display_name, description, category, image_uri, currency_code,
       price_minor, state, attributes)
     values (?, ?, ?, ?, ?, ?, ?, ?, 'ACTIVE', ?) on conflict do nothing returning product_id`,
    [productId, ...columns(details)],
  );
  if (inserted.length === 0) {
    throw new StatusError(status.ALREADY_EXISTS, `product ${productId} exists already`, {
      reason: 'PRODUCT_EXISTS',
      metadata: { product_id: productId },
    });
  }
  await tx.execute('insert into stock (product_id) values (?)', [productId]);
  if (stock > 0) {
    await post(tx, [movement('DELIVER', { productId, quantity: stock }, null)], 'initial stock');
  }
  return find(tx, productId);
}

async function update(tx: EntityManager, { productId, revision, change }: Change): Promise<CatalogueProduct> {
  const product = await lockProduct(tx, productId, revision);
  if (product.state === 'ARCHIVED') throw productArchived(productId);
  const { priceMinor: minorUnits, currencyCode, ...rest } = product;
  const details = change({ ...rest, price: { currencyCode, minorUnits } });
  await tx.execute(
    `update product set (sku, display_name, description, category, image_uri, currency_code, price_minor,
       attributes) = (?, ?, ?, ?, ?, ?, ?, ?::jsonb), revision = revision + 1, update_time = now(), changed_by = default
     where product_id = ?`,
    [...columns(details), productId],
  );
  return find(tx, productId);
}

async function archive(
  tx: EntityManager,
  { productId, revision }: Omit<Change, 'change'>,
): Promise<CatalogueProduct> {
  const product = await lockProduct(tx, productId, revision);
  if (product.state === 'ACTIVE') {
    await tx.execute(
      `update product set state = 'ARCHIVED', revision = revision + 1, update_time = now(), changed_by = default
       where product_id = ?`,
      [productId],
    );
  }
  return find(tx, productId);
}

async function adjustStock(
  tx: EntityManager,
  { productId, delta, reason }: { productId: string; delta: number; reason: string },
): Promise<CatalogueProduct> {
  const line = { productId, quantity: delta };
  const offer = (await lockShelf(tx, [productId])).get(productId);
  if (offer === undefined) throw productNotFound(productId);
  let outcome = adjust(line, offer.available);
  if ('refusal' in outcome) {
    const reclaimed = await reclaimExpired(tx, [productId]);
    outcome = adjust(line, reclaimed.get(productId)?.available ?? 0);
  }
  if ('refusal' in outcome) throw refused(outcome.refusal);
  await post(tx, [outcome.movement], reason);
  return find(tx, productId);
}

async function lockProduct(tx: EntityManager, productId: string, revision: bigint | undefined) {
  const options = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
  const product = await tx.findOne(ProductEntity, { productId }, options);
  if (product === null) throw productNotFound(productId);
  if (revision === undefined || revision === product.revision) return product;
  throw new StatusError(status.ABORTED, `product ${productId} has changed since its etag was read`, {
    reason: 'ETAG_MISMATCH',
    metadata: { product_id: productId },
  });
}

/** Values in the order of the columns sku to attributes. */
function columns({ price, attributes, ...details }: Details): unknown[] {
  const { sku, displayName, description, category, imageUri } = details;
  const text = [sku, displayName, description, category, imageUri];
  return [...text, price.currencyCode, price.minorUnits, JSON.stringify(attributes)];
}
