/** The tables and views that the product service reads through MikroORM. */
import { defineEntity, p } from '@mikro-orm/postgresql';
import type { InferEntity } from '@mikro-orm/postgresql';

/** What the seller wrote of a product; its stock stands in a table of its own. */
export const ProductEntity = defineEntity({
  name: 'Product',
  tableName: 'product',
  properties: {
    productId: p.text().primary(),
    sku: p.text(),
    displayName: p.text(),
    description: p.text(),
    category: p.text(),
    imageUri: p.text(),
    currencyCode: p.text(),
    priceMinor: p.bigint('bigint'),
    state: p.enum(['ACTIVE', 'ARCHIVED'] as const),
    attributes: p.json<Record<string, string>>(),
    revision: p.bigint('bigint'),
    createTime: p.datetime(3),
    updateTime: p.datetime(3),
  },
});

/** The view `catalogue`: a product with the stock that can be ordered now. Read only. */
export const CatalogueEntity = defineEntity({
  name: 'Catalogue',
  tableName: 'catalogue',
  properties: {
    ...ProductEntity.properties,
    stockAvailable: p.integer(),
    sortName: p.text(),
    searchText: p.text(),
  },
});

/** A product as the service answers it. */
export type CatalogueProduct = InferEntity<typeof CatalogueEntity>;

/** Everything that the ORM has to know. */
export const entities = [ProductEntity, CatalogueEntity];
