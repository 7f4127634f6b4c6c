/** Searching the catalogue: filters, orders and keyset pages. */
import { raw } from '@mikro-orm/postgresql';
import type { EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import { CatalogueEntity } from './entities.ts';
import type { CatalogueProduct } from './entities.ts';

/** Where a page ended: the last product's sort value, as text, and its id. */
export type Position = { value: string; productId: string };

/** What to list. */
export type CatalogueQuery = {
  /** All of them occur in name, description or category, whatever their case. */
  words: readonly string[];
  category: string | undefined;
  inStock: boolean | undefined;
  orderBy: keyof typeof ORDERS;
  /** Where the last page ended. */
  after: Position | undefined;
  /** Products at most. */
  limit: number;
};

/** A page, and where the next one starts. */
export type CataloguePage = { products: CatalogueProduct[]; next: Position | undefined };

/** By `order_by`. The id goes the same way as the column, so that one comparison of rows finds the next page. */
const ORDERS = {
  price: { column: 'price_minor', direction: 'asc', value: (each) => each.priceMinor.toString() },
  'price desc': { column: 'price_minor', direction: 'desc', value: (each) => each.priceMinor.toString() },
  name: { column: 'sort_name', direction: 'asc', value: (each) => each.sortName },
  'create_time desc': {
    column: 'create_time',
    direction: 'desc',
    value: (each) => each.createTime.toISOString(),
  },
} as const satisfies Record<string, Order>;

type Order = {
  column: string;
  direction: 'asc' | 'desc';
  value: (product: CatalogueProduct) => string;
};

/** The order that an order_by text stands for; the newest first when it is empty. */
export function orderOf(text: string): CatalogueQuery['orderBy'] {
  return isOrder(text) ? text : 'create_time desc';
}

/** One page of active products. */
export async function listProducts(em: EntityManager, query: CatalogueQuery): Promise<CataloguePage> {
  const { column, direction, value } = ORDERS[query.orderBy];
  // One more than asked for tells whether there is a next page.
  const found = await em.find(CatalogueEntity, filter(query), {
    orderBy: [{ [raw(column)]: direction }, { productId: direction }],
    limit: query.limit + 1,
  });
  const products = found.slice(0, query.limit);
  const last = products.at(-1);
  const more = found.length > query.limit && last !== undefined;
  return { products, next: more ? { value: value(last), productId: last.productId } : undefined };
}

function filter(query: CatalogueQuery): FilterQuery<CatalogueProduct> {
  const conditions: FilterQuery<CatalogueProduct>[] = query.words.map((word) => ({
    searchText: { $ilike: `%${word.replaceAll(/[\\%_]/gu, String.raw`\$&`)}%` },
  }));
  if (query.category !== undefined) conditions.push({ category: query.category });
  if (query.inStock !== undefined) conditions.push({ stockAvailable: query.inStock ? { $gt: 0 } : 0 });
  if (query.after !== undefined) conditions.push(beyond(query.orderBy, query.after));
  return { state: 'ACTIVE', $and: conditions };
}

function beyond(orderBy: CatalogueQuery['orderBy'], after: Position): FilterQuery<CatalogueProduct> {
  const { column, direction } = ORDERS[orderBy];
  const comparison = `(${column}, product_id) ${direction === 'asc' ? '>' : '<'} (?, ?)`;
  return { [raw(comparison, [after.value, after.productId])]: [] };
}

function isOrder(text: string): text is CatalogueQuery['orderBy'] {
  return Object.hasOwn(ORDERS, text);
}
