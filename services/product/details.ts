/** What a client may set of a product, and which of it an update mask names (AIP-134). */
import { badRequest } from '#fabric/rpc/status-error.ts';

/** The part of a product that its seller writes. */
export type Details = {
  sku: string;
  displayName: string;
  description: string;
  category: string;
  imageUri: string;
  price: Price;
  attributes: Record<string, string>;
};

/** An exact price of one unit. */
export type Price = { currencyCode: string; minorUnits: bigint };

/** Details as they arrive: a message may lack its price. */
export type GivenDetails = Omit<Details, 'price'> & { price: Price | undefined };

/** Contract name and property of each field that a mask may name. */
export const FIELDS = {
  sku: 'sku',
  display_name: 'displayName',
  description: 'description',
  category: 'category',
  image_uri: 'imageUri',
  price: 'price',
  attributes: 'attributes',
} as const satisfies Record<string, keyof Details>;

/** A path of FIELDS. */
type Path = keyof typeof FIELDS;

/** They say which product, in which revision, is meant; a mask that names them changes nothing by it. */
const ADDRESS: readonly string[] = ['product_id', 'etag'];

/**
 * The details after an update. An empty mask stands for the fields that `given` fills, `*` for all that a
 * client may set. INVALID_ARGUMENT when the mask names anything else, or leaves no name or price.
 */
export function applyMask(current: Details, given: GivenDetails, mask: readonly string[]): Details {
  const changed = { ...current, price: current.price as Price | undefined };
  for (const path of paths(given, mask)) Object.assign(changed, { [FIELDS[path]]: given[FIELDS[path]] });
  return complete(changed);
}

/** Details that have what every product needs, else INVALID_ARGUMENT. */
export function complete({ price, ...details }: GivenDetails): Details {
  if (details.displayName === '') throw badRequest('product.display_name', 'value is required');
  if (price === undefined) throw badRequest('product.price', 'value is required');
  return { ...details, price: { currencyCode: price.currencyCode, minorUnits: price.minorUnits } };
}

function paths(given: GivenDetails, mask: readonly string[]): Path[] {
  const all = Object.keys(FIELDS).filter(isPath);
  if (mask.length === 0) return all.filter((path) => isFilled(given[FIELDS[path]]));
  if (mask.includes('*')) return all;
  return mask.filter((path) => !ADDRESS.includes(path)).map(writable);
}

function writable(path: string): Path {
  // A price is one value: an amount means nothing without its currency.
  const whole = path.startsWith('price.') ? 'price' : path;
  if (isPath(whole)) return whole;
  throw badRequest(`product.${path}`, 'a client cannot set this field');
}

function isPath(path: string): path is Path {
  return Object.hasOwn(FIELDS, path);
}

function isFilled(value: Details[keyof Details] | undefined): boolean {
  if (typeof value === 'string') return value !== '';
  return value !== undefined && Object.keys(value).length > 0;
}
