/** Tells every reader of this process which products changed, from one look at the database for all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { LRUCache } from 'lru-cache';
import type { Listener } from '#fabric/data/listener.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Logger } from '#fabric/telemetry/logger.ts';
import { changeReader } from './change-reader.ts';
import type { ChangeReader } from './change-reader.ts';
import type { Moment } from './changed-products.ts';
import { etagOf } from './etag.ts';
import type { CatalogueProduct } from './entities.ts';
import type { ProductStore } from './store.ts';

/** Changes of products, as they come. */
export type ProductChanges = {
  /** Every product that changes from now on, or every one of those named, until the signal aborts. */
  watch(productIds: readonly string[], signal: AbortSignal): AsyncIterable<CatalogueProduct>;
  /** Ends all readers. */
  stop(): Promise<void>;
};

/** What the changes stand on. */
export type ProductChangesOptions = {
  store: Pick<ProductStore, 'moment' | 'changedSince' | 'getMany'>;
  /** Has the function called soon after something changed; it need not be called for each change. */
  listen: (heard: () => void) => Listener;
  log: Logger;
};

/** Between two looks, in ms, when nothing was heard: reservations run out in silence, and a listener may be lost. */
const LOOK_AGAIN = 1_000;
/** Between two looks at least, in ms: what changes often is told as it is then. */
const LOOK_APART = 50;
/** Products that are read with one statement. */
const PAGE = 500;
/** Products whose last state is remembered, so that it is not told twice. */
const MOST_REMEMBERED = 10_000;
/** Readers of one process. */
const MOST_READERS = 10_000;

/** Looks for changes while somebody reads them. */
export function productChanges({ store, listen, log }: ProductChangesOptions): ProductChanges {
  const readers = new Set<ChangeReader>();
  const look = lookFor(readers, store);
  const stopping = new AbortController();
  let wake = (): void => undefined;

  async function keepLooking(): Promise<void> {
    while (!stopping.signal.aborted) {
      const heard = new AbortController();
      wake = () => heard.abort();
      await look().catch((error: unknown) =>
        log.warn({ event: 'changes_not_read', err: error }, 'reading changes failed and goes on'),
      );
      await pause(LOOK_APART, stopping.signal);
      await pause(LOOK_AGAIN, AbortSignal.any([heard.signal, stopping.signal]));
    }
  }

  const listener = listen(() => wake());
  const looking = keepLooking();
  return {
    async *watch(productIds, signal) {
      if (stopping.signal.aborted) throw stoppingNow();
      if (readers.size >= MOST_READERS) throw tooManyReaders();
      const reader = changeReader(productIds);
      readers.add(reader);
      wake();
      try {
        for (let next = await reader.take(signal); next !== undefined; next = await reader.take(signal))
          yield next;
      } finally {
        readers.delete(reader);
      }
    },
    async stop() {
      stopping.abort();
      for (const reader of readers) reader.fail(stoppingNow());
      await Promise.all([listener.stop(), looking]);
    },
  };
}

/** One look: what changed since the last one, to everyone who reads. A look that fails is made good by the next. */
function lookFor(
  readers: ReadonlySet<ChangeReader>,
  store: ProductChangesOptions['store'],
): () => Promise<void> {
  const told = new LRUCache<string, string>({ max: MOST_REMEMBERED });
  let since: Moment | undefined;

  async function tell(changed: readonly string[]): Promise<void> {
    const wanted = changed.filter((productId) => readers.values().some((reader) => reader.wants(productId)));
    for (let start = 0; start < wanted.length; start += PAGE) {
      for (const product of await store.getMany(wanted.slice(start, start + PAGE))) {
        if (told.get(product.productId) === etagOf(product)) continue;
        told.set(product.productId, etagOf(product));
        for (const reader of readers) if (reader.wants(product.productId)) reader.offer(product);
      }
    }
  }

  return async () => {
    if (readers.size === 0) {
      since = undefined;
    } else if (since === undefined) {
      told.clear();
      since = await store.moment();
    } else {
      const { productIds, now } = await store.changedSince(since);
      await tell(productIds);
      since = now;
    }
  };
}

async function pause(length: number, signal: AbortSignal): Promise<void> {
  await sleep(length, undefined, { signal, ref: false }).catch(() => undefined);
}

function stoppingNow(): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the product service is stopping', {
    reason: 'PRODUCT_STOPPING',
  });
}

function tooManyReaders(): StatusError {
  return new StatusError(status.RESOURCE_EXHAUSTED, 'too many readers watch products', {
    reason: 'OVERLOADED',
  });
}
