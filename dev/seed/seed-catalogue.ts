/** Fills a shop with products that it does not have yet. */
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Product } from '#gen/mercer/product/v1/product.ts';
import { CATALOGUE, productsOf } from './catalogue.ts';

/** What to sell, and how it gets there. */
export type SeedOptions = {
  /** The whole catalogue, nothing, or so many products. */
  what: 'demo' | 'none' | number;
  /**
   * Creates one product under its own id, as an ADMIN and within a deadline of its own; rejects with an error whose
   * `code` is a gRPC status. Asked for eight products at a time.
   */
  create: (product: Product) => Promise<unknown>;
};

/** How many products were made, and how many were there before. */
export type Seeded = { created: number; existing: number };

const AT_A_TIME = 8;
/** Waits in ms before a product is tried again, where its shop was not reached. */
const BACK_OFF = [100, 300, 1_000];
const UNREACHED: readonly unknown[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];

/** Creates what is missing; products that exist stay as they are. Rejects with the first failure. */
export async function seedCatalogue({ what, create }: SeedOptions): Promise<Seeded> {
  const seeded: Seeded = { created: 0, existing: 0 };
  const missing = wanted(what).values();
  const work = async (): Promise<void> => {
    for (const product of missing) seeded[await ensure(product, create)] += 1;
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return seeded;
}

function wanted(what: SeedOptions['what']): readonly Product[] {
  if (what === 'none') return [];
  return what === 'demo' ? CATALOGUE : productsOf(what);
}

/** The product's own id makes a repetition harmless: it can only find the product there. */
async function ensure(product: Product, create: SeedOptions['create']): Promise<keyof Seeded> {
  for (const wait of [...BACK_OFF, undefined]) {
    try {
      await create(product);
      return 'created';
    } catch (error) {
      const code = codeOf(error);
      if (code === status.ALREADY_EXISTS) return 'existing';
      if (wait === undefined || !UNREACHED.includes(code)) throw error;
      await sleep(wait);
    }
  }
  return 'existing';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
