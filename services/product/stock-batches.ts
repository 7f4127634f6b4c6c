/** Stock of single orders: concurrent calls share one transaction, so that a hot product costs no more than many. */
import { groupCommit } from '#fabric/data/group-commit.ts';
import type { Demand } from './domain.ts';
import type { Held, Settled } from './reservations.ts';
import type { ProductStore } from './store.ts';

/** What orders do with stock, one by one; each gets an outcome of its own. */
export type StockBatches = {
  /** Holds stock for an order; see holdStock. */
  reserve: (demand: Demand) => Promise<Held>;
  commit: (orderId: string) => Promise<Settled>;
  release: (orderId: string) => Promise<Settled>;
};

/** What the batches stand on. */
export type StockBatchesOptions = {
  store: Pick<ProductStore, 'reserve' | 'commit' | 'release'>;
  /** How long a reservation holds, in ms; read anew for each batch. */
  reservationTtl: () => number;
  /** Told the size of each batch, by step. */
  sizes?: (step: string) => (size: number) => void;
};

/** Batches of each step, one at a time. */
export function stockBatches({
  store,
  reservationTtl,
  sizes = () => () => undefined,
}: StockBatchesOptions): StockBatches {
  return {
    reserve: groupCommit({
      name: 'reserve stock',
      run: (demands: readonly Demand[]) => store.reserve(demands, reservationTtl()),
      // A repetition is answered from the first reservation, which must be there by then.
      keyOf: ({ orderId }) => orderId,
      observe: sizes('reserve_stock'),
    }),
    commit: groupCommit({
      name: 'commit stock',
      run: (orderIds: readonly string[]) => store.commit(orderIds),
      observe: sizes('commit_stock'),
    }),
    release: groupCommit({
      name: 'release stock',
      run: (orderIds: readonly string[]) => store.release(orderIds),
      observe: sizes('release_stock'),
    }),
  };
}
