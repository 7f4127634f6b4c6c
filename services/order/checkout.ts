/** Places orders, each key once, within the time that the caller has; the purchase itself does not end with its caller. */
import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { inProgress } from '#fabric/data/idempotency.ts';
import type { KeyedRequest } from '#fabric/data/idempotency.ts';
import { failpoint } from '#fabric/process/failpoint.ts';
import { detached } from '#fabric/rpc/call-context.ts';
import type { Item, Money, Order } from './domain.ts';
import { drive } from './saga.ts';
import type { SagaWork } from './saga.ts';

/** What a customer asks for. */
export type Checkout = {
  customerId: string;
  items: readonly Item[];
  paymentToken: string;
  expectedTotal: Money | undefined;
};

/** The checkout counter of one process. */
export type Counter = {
  /**
   * Places an order, or answers the one that the key placed before. The order is CONFIRMED, ended, or still
   * PENDING when `deadline` is near. ABORTED with reason IDEMPOTENCY_IN_PROGRESS while another call has it
   * in hand; UNAVAILABLE with reason OUTCOME_UNKNOWN when a step left its outcome open.
   */
  place(asked: Checkout, request: KeyedRequest, deadline: Date): Promise<Order>;
  /** Resolves when no purchase is under way any more, after 5 s at most; recovery finishes what still is. */
  drain(): Promise<void>;
};

/** The longest that a purchase goes on by itself, in ms. */
const PURCHASE_TIMEOUT = 25_000;
/** In ms; the process has to end within 10 s. */
const LONGEST_DRAIN = 5_000;
/** What is kept of the caller's time to answer in, in ms. */
const ANSWER_MARGIN = 250;
/** Between two looks at an order that another call has in hand, in ms. */
const LOOK_AGAIN = 100;

/** Opens a counter. */
export function counter(work: SagaWork): Counter {
  const { store } = work;
  const underWay = new Set<Promise<unknown>>();

  function start(order: Order, { paymentToken, expectedTotal }: Checkout): Promise<Order> {
    const purchase = { ...work, paymentToken, expectedTotal };
    const driving = detached({ timeout: PURCHASE_TIMEOUT }, () => drive(order, purchase));
    underWay.add(driving);
    const over = (): boolean => underWay.delete(driving);
    driving.then(over, over);
    return driving;
  }

  /** The purchase's end, or the order as it stands when time is up; the purchase goes on then. */
  async function within(until: number, order: Order, driving: Promise<Order>): Promise<Order> {
    const answered = new AbortController();
    const timeUp = sleep(Math.max(0, until - Date.now()), undefined, { signal: answered.signal });
    try {
      const reached =
        (await Promise.race([driving, timeUp.catch(() => undefined)])) ??
        (await store.find(order.orderId)) ??
        order;
      return await ended(until, reached);
    } finally {
      answered.abort();
    }
  }

  /** An order that another call undoes is at its end soon, and its customer wants to hear that. */
  async function ended(until: number, order: Order): Promise<Order> {
    let now = order;
    while (now.state === 'PENDING' && now.ending !== undefined && Date.now() + LOOK_AGAIN <= until) {
      await sleep(LOOK_AGAIN);
      now = (await store.find(order.orderId)) ?? now;
    }
    return now;
  }

  /** Waits for whoever has the order in hand, and takes it over when nobody has. */
  async function repeat(orderId: string, asked: Checkout, waiting: Waiting): Promise<Order> {
    for (;;) {
      const order = await store.find(orderId);
      if (order !== undefined && order.state !== 'PENDING') return order;
      const taken = await store.takeOver(orderId);
      if (taken !== undefined) return within(waiting.until, taken, start(taken, asked));
      if (Date.now() + LOOK_AGAIN > waiting.until) throw inProgress(waiting.request);
      await sleep(LOOK_AGAIN);
    }
  }

  return {
    async place(asked, request, deadline) {
      const { customerId, items } = asked;
      const until = deadline.getTime() - ANSWER_MARGIN;
      const begun = await store.begin({ orderId: randomUUIDv7(), customerId, items }, request);
      await failpoint('order.after_begin');
      if (begun.kind === 'repeated') return repeat(begun.resourceId, asked, { request, until });
      return within(until, begun.order, start(begun.order, asked));
    },
    drain: async () => {
      await Promise.race([Promise.allSettled(underWay), sleep(LONGEST_DRAIN, undefined, { ref: false })]);
    },
  };
}

type Waiting = { request: KeyedRequest; until: number };
