/** Keeps orders with the call that drives them for as long as it is at work. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Order } from './domain.ts';
import type { OrderStore } from './store.ts';

/** The orders that this process has in hand. */
export type Leases = {
  /** Does work on an order; until it ends the order's lease does not run out, unless the work takes too long. */
  hold<T>(order: Order, work: () => Promise<T>): Promise<T>;
};

/** Between two renewals, in ms: a lease of 5 s survives two that fail. */
const RENEW_EVERY = 1_500;
/** In ms: work that is over so soon needs no renewal, and most of it is. */
const SOON = 500;
/** In ms: no step takes longer unless it hangs, and then others have to take the order over. */
const LONGEST_HOLD = 15_000;

/** How often, for how long and for what work leases are renewed, in ms. */
export type LeaseTimes = { every: number; longest: number; soon: number };

/** Renews the leases of all orders in hand with one statement. */
export function leases(
  store: Pick<OrderStore, 'renew'>,
  { every, longest, soon }: LeaseTimes = { every: RENEW_EVERY, longest: LONGEST_HOLD, soon: SOON },
): Leases {
  // Renewals belong to no call: not to the trace of whichever purchase happened to start the timer.
  const outsideOfCalls = AsyncLocalStorage.snapshot();
  const held = new Set<{ order: Order; since: number }>();
  let timer: NodeJS.Timeout | undefined;

  async function renew(): Promise<void> {
    const now = Date.now();
    const due = [...held].filter(({ since }) => now - since >= soon && now - since <= longest);
    if (due.length > 0) await store.renew(due.map(({ order }) => order));
  }

  /** A renewal that fails is made up for by the next; one that comes too late is what the fence is for. */
  function tick(): void {
    renew().then(schedule, schedule);
  }

  function schedule(): void {
    timer = held.size === 0 ? undefined : outsideOfCalls(() => setTimeout(tick, every).unref());
  }

  return {
    async hold(order, work) {
      const hold = { order, since: Date.now() };
      held.add(hold);
      if (timer === undefined) schedule();
      try {
        return await work();
      } finally {
        held.delete(hold);
      }
    },
  };
}
