/** What became of purchases and their steps: log events, and counters for whoever watches the service. */
import { Counter } from 'prom-client';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Metrics } from '#fabric/telemetry/metrics.ts';
import { toStatusError } from '#fabric/rpc/status-error.ts';
import type { Order } from './domain.ts';

/** Tells what became of orders; events carry ids and reasons, never customers or cards. */
export type PurchaseEvents = {
  confirmed(order: Order): void;
  /** FAILED or CANCELLED, everything undone. */
  ended(order: Order): void;
  /** Left unfinished, because the outcome of a step is open. */
  left(order: Order, cause: unknown): void;
  /** A step or an undo was taken, refused, or left its outcome open. */
  stepped(name: string, outcome: 'done' | 'refused' | 'open'): void;
  /** Recovery took an order over and brought it as far as it goes. */
  recovered(order: Order): void;
  /** Recovery could not finish an order, and comes back to it. */
  unrecovered(order: Order): void;
  /** Recovery finished a refund. */
  refunded(orderId: string): void;
  /** Recovery could not finish a refund, or it was refused. */
  unrefunded(orderId: string, cause: unknown): void;
  /** Recovery gave an order up, for an operator to look at. */
  parked(order: Order, attempts: number): void;
};

/** Purchase events as log lines and counters. */
export function purchaseEvents(log: Logger, metrics: Metrics): PurchaseEvents {
  const { steps, recoveries } = counters(metrics);
  return {
    confirmed: ({ orderId, paymentId }) =>
      log.info({ event: 'order_confirmed', orderId, paymentId }, 'order confirmed'),
    ended: ({ orderId, state, ending }) =>
      log.info({ event: `order_${state.toLowerCase()}`, orderId, reason: ending?.reason }, 'order undone'),
    left: ({ orderId, state }, cause) => {
      const { reason, message } = toStatusError(cause);
      log.warn(
        { event: 'order_left_open', orderId, state, reason, err: cause },
        `order left open: ${message}`,
      );
    },
    stepped: (step, outcome) => steps.inc({ step, outcome }),
    recovered: ({ orderId, state }) => {
      recoveries.inc({ outcome: state === 'PENDING' ? 'waiting' : state.toLowerCase() });
      if (state !== 'PENDING') log.info({ event: 'order_recovered', orderId, state }, 'order recovered');
    },
    unrecovered: () => recoveries.inc({ outcome: 'open' }),
    refunded: (orderId) => log.info({ event: 'refund_recovered', orderId }, 'refund recovered'),
    unrefunded: (orderId, cause) => {
      const { reason, message } = toStatusError(cause);
      log.warn({ event: 'refund_open', orderId, reason, err: cause }, `refund not recovered: ${message}`);
    },
    parked: ({ orderId, state }, attempts) => {
      recoveries.inc({ outcome: 'parked' });
      log.error({ event: 'order_parked', orderId, state, attempts }, 'order parked: it needs an operator');
    },
  };
}

function counters({ registry }: Metrics): Record<'steps' | 'recoveries', Counter> {
  const registers = [registry];
  return {
    steps: new Counter({
      name: 'mercer_order_steps_total',
      help: 'Steps of purchases and their undo, by outcome: done, refused, or open.',
      labelNames: ['step', 'outcome'],
      registers,
    }),
    recoveries: new Counter({
      name: 'mercer_order_recoveries_total',
      help: 'Unfinished orders taken over by recovery, by what came of it: confirmed, failed, cancelled, waiting, open, parked.',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
