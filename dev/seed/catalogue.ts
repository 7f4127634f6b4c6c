/** What the sample shop sells. */
import { Product } from '#gen/mercer/product/v1/product.ts';
import { ACCESSORIES } from './catalogue/accessories.ts';
import { AUDIO } from './catalogue/audio.ts';
import type { Item } from './catalogue/item.ts';
import { LAPTOPS } from './catalogue/laptops.ts';
import { PHONES } from './catalogue/phones.ts';
import { TABLETS } from './catalogue/tablets.ts';
import { WATCHES } from './catalogue/watches.ts';

const SHELVES = {
  phones: PHONES,
  laptops: LAPTOPS,
  tablets: TABLETS,
  watches: WATCHES,
  audio: AUDIO,
  accessories: ACCESSORIES,
} satisfies Record<string, readonly Item[]>;

/** Every item once. */
export const ITEMS: readonly Item[] = Object.values(SHELVES).flat();

/** The catalogue as products that could be created: shelf by shelf. */
export const CATALOGUE: readonly Product[] = Object.entries(SHELVES).flatMap(([category, items]) =>
  items.map((item) => productOf(item, category)),
);

/**
 * So many products: the first ones of the catalogue, and then copies of it named `sample-0001` and on, each with the
 * price and picture of what it is a copy of, so that tests and benchmarks can have as many as they want.
 */
export function productsOf(count: number): Product[] {
  const samples = Array.from({ length: Math.max(0, count - CATALOGUE.length) }, (_, index) => sample(index));
  return [...CATALOGUE.slice(0, count), ...samples];
}

function productOf(item: Item, category: string): Product {
  const { id, name, description, price, stock, colour, attributes } = item;
  return Product.fromPartial({
    productId: id,
    sku: id.toUpperCase(),
    displayName: name,
    description,
    category,
    imageUri: `/images/${id}.svg`,
    price: { currencyCode: 'USD', minorUnits: BigInt(price) },
    stockAvailable: stock,
    attributes: { colour: colour.replace('-', ' '), ...attributes },
  });
}

function sample(index: number): Product {
  const id = `sample-${String(index + 1).padStart(4, '0')}`;
  const original = CATALOGUE[index % CATALOGUE.length];
  return Product.fromPartial({
    ...original,
    productId: id,
    sku: id.toUpperCase(),
    displayName: `${original?.displayName}, sample ${index + 1}`,
    stockAvailable: 1_000,
  });
}
