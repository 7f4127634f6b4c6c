/** A stored product as the contract's message. */
import { Product_State } from '#gen/mercer/product/v1/product.ts';
import type { Product } from '#gen/mercer/product/v1/product.ts';
import type { CatalogueProduct } from './entities.ts';
import { etagOf } from './etag.ts';

/** The message of a product as it stands. */
export function toProduct(stored: CatalogueProduct): Product {
  return {
    productId: stored.productId,
    sku: stored.sku,
    displayName: stored.displayName,
    description: stored.description,
    category: stored.category,
    imageUri: stored.imageUri,
    price: { currencyCode: stored.currencyCode, minorUnits: stored.priceMinor },
    stockAvailable: stored.stockAvailable,
    state: stored.state === 'ACTIVE' ? Product_State.STATE_ACTIVE : Product_State.STATE_ARCHIVED,
    attributes: stored.attributes,
    createTime: stored.createTime,
    updateTime: stored.updateTime,
    etag: etagOf(stored),
  };
}
