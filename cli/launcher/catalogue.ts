/** The catalogue of a fabric that has just become healthy. */
import { httpJson } from '../http-json.ts';

/** How long the gateway may take, in ms. */
const TIMEOUT = 5_000;

/** The id of a product that can be ordered; undefined when there is none, or no gateway to ask. */
export async function firstProduct(gateway: string | undefined): Promise<string | undefined> {
  if (gateway === undefined) return undefined;
  const url = `${gateway}/v1/products?inStock=true&pageSize=1`;
  const answer = await httpJson(url, { timeout: TIMEOUT }).catch(() => undefined);
  const { products } = (answer?.body ?? {}) as { products?: { productId: string }[] };
  return products?.[0]?.productId;
}
