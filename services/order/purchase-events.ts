/** What a purchase came to, one log event each. */
import type { Logger } from '#fabric/telemetry/logger.ts';
import { toStatusError } from '#fabric/rpc/status-error.ts';
import type { Order } from './domain.ts';

/** Tells what became of orders; events carry ids and reasons, never customers or cards. */
export type PurchaseEvents = {
  confirmed(order: Order): void;
  /** FAILED or CANCELLED, everything undone. */
  ended(order: Order): void;
  /** Left unfinished, because the outcome of a step is open. */
  left(order: Order, cause: unknown): void;
};

/** Purchase events as log lines. */
export function purchaseEvents(log: Logger): PurchaseEvents {
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
  };
}
