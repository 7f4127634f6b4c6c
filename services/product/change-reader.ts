/** One reader of changes: what it has not taken yet, each product once, as it last was. */
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { CatalogueProduct } from './entities.ts';

/** Products that may wait for a reader; one that falls further behind is told so and starts anew. */
const MOST_WAITING = 1_000;

/** Takes changes at its own pace. */
export type ChangeReader = {
  /** Whether the reader asked for this product. */
  wants: (productId: string) => boolean;
  offer: (product: CatalogueProduct) => void;
  /** The next product that changed, once there is one; undefined when the signal aborts. */
  take: (signal: AbortSignal) => Promise<CatalogueProduct | undefined>;
  /** Lets `take` reject. */
  fail: (failure: StatusError) => void;
};

/** A reader of some products, or of all when none is named. */
export function changeReader(productIds: readonly string[]): ChangeReader {
  const only = new Set(productIds);
  const waiting = new Map<string, CatalogueProduct>();
  let failure: StatusError | undefined;
  let wake = (): void => undefined;

  function shift(): CatalogueProduct | undefined {
    const [first] = waiting.values();
    if (first !== undefined) waiting.delete(first.productId);
    return first;
  }

  function fail(reason: StatusError): void {
    failure ??= reason;
    waiting.clear();
    wake();
  }

  return {
    wants: (productId) => only.size === 0 || only.has(productId),
    offer(product) {
      if (failure !== undefined) return;
      waiting.set(product.productId, product);
      if (waiting.size > MOST_WAITING) fail(lagging());
      else wake();
    },
    async take(signal) {
      while (!signal.aborted) {
        if (failure !== undefined) throw failure;
        const product = shift();
        if (product !== undefined) return product;
        const { promise, resolve } = Promise.withResolvers<void>();
        const proceed = (): void => resolve();
        wake = proceed;
        signal.addEventListener('abort', proceed, { once: true });
        await promise;
        signal.removeEventListener('abort', proceed);
      }
      return undefined;
    },
    fail,
  };
}

function lagging(): StatusError {
  return new StatusError(status.ABORTED, 'the reader is too slow: read the products again, then watch anew', {
    reason: 'WATCH_LAGGED',
  });
}
