/** Brings orders to their end that a crash or an outage left unfinished; it has no customer, so it never charges. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inBackground } from '#fabric/process/background.ts';
import type { Background } from '#fabric/process/background.ts';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Metrics } from '#fabric/telemetry/metrics.ts';
import { withSpan } from '#fabric/telemetry/tracing.ts';
import { recoverRefunds } from './refund-recovery.ts';
import { isOutage } from './refusals.ts';
import { complete } from './saga.ts';
import type { SagaWork } from './saga.ts';
import { PARKED_AFTER } from './store.ts';
import type { Backlog, Taken } from './store.ts';

/** Recovery in one process; any number of them may share a database. */
export type Recovery = {
  /** Takes over what is due, as many at once as it may have in hand; resolves when no more is due. */
  sweep(signal?: AbortSignal): Promise<void>;
  /** Resolves when nothing is in hand. */
  settled(): Promise<void>;
};

/** Orders in hand at once: one that waits for a slow peer must not keep its neighbours waiting. */
const AT_ONCE = 32;
/** Between two sweeps, and between two counts of what is unfinished, in ms. */
const SWEEP_EVERY = 1_000;
const COUNT_EVERY = 5_000;
/** In ms; what is in hand then is left to the next process. */
const LONGEST_STOP = 2_000;

/** Recovery of the orders in a store. */
export function recovery(work: SagaWork): Recovery {
  const { store, events } = work;
  const inHand = new Set<Promise<void>>();

  async function recover({ order, attempts }: Taken): Promise<void> {
    try {
      const attributes = { 'mercer.order_id': order.orderId };
      events.recovered(await withSpan('recover order', { attributes }, () => complete(order, work)));
    } catch (error) {
      events.unrecovered(order);
      if (attempts >= PARKED_AFTER && !isOutage(causeOf(error))) events.parked(order, attempts);
    }
  }

  function begin(taken: Taken): void {
    const recovering = recover(taken).finally(() => inHand.delete(recovering));
    inHand.add(recovering);
  }

  return {
    async sweep(signal) {
      for (;;) {
        const free = AT_ONCE - inHand.size;
        const due = free === 0 || signal?.aborted === true ? [] : await store.takeOverDue(free);
        due.forEach(begin);
        if (due.length < free || signal?.aborted === true) return;
        await Promise.race(inHand);
      }
    },
    settled: async () => {
      await Promise.all(inHand);
    },
  };
}

/** Repeats sweeps, about one a second, and tells how much is unfinished. */
export function startRecovery(
  work: SagaWork,
  { log, metrics }: { log: Logger; metrics: Metrics },
): Background {
  const orders = recovery(work);
  let backlog: Backlog = { unfinished: 0, parked: 0 };
  metrics.gauge(
    'mercer_order_unfinished',
    'Orders in the database that are under way, waiting for a payment, or left over.',
    () => backlog.unfinished,
  );
  metrics.gauge(
    'mercer_order_parked',
    'Orders in the database that recovery has given up; each needs an operator.',
    () => backlog.parked,
  );
  const sweeps = inBackground({ name: 'recovery', pause: SWEEP_EVERY, log }, (signal) =>
    orders.sweep(signal),
  );
  const refunds = inBackground({ name: 'refund recovery', pause: SWEEP_EVERY, log }, () =>
    recoverRefunds(work),
  );
  const counts = inBackground({ name: 'order backlog', pause: COUNT_EVERY, log }, async () => {
    backlog = await work.store.backlog();
  });
  return {
    async stop() {
      await Promise.all([sweeps.stop(), refunds.stop(), counts.stop()]);
      await Promise.race([orders.settled(), sleep(LONGEST_STOP, undefined, { ref: false })]);
    },
  };
}

/** The saga says that an outcome is unknown; what it stumbled over is the cause. */
function causeOf(error: unknown): unknown {
  return error instanceof Error ? (error.cause ?? error) : error;
}
