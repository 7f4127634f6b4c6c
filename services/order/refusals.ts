/** The status of each reason why a purchase came to nothing, and the reason behind a status that says no. */
import { status } from '@grpc/grpc-js';
import { leavesOutcomeOpen } from '#fabric/data/idempotency.ts';
import { StatusError, toStatusError } from '#fabric/rpc/status-error.ts';
import { interrupted, isReason } from './domain.ts';
import type { Reason, Refusal } from './domain.ts';

const CODES: Record<Reason, status> = {
  OUT_OF_STOCK: status.FAILED_PRECONDITION,
  PAYMENT_DECLINED: status.FAILED_PRECONDITION,
  PRICE_CHANGED: status.ABORTED,
  INTERRUPTED: status.ABORTED,
  ORDER_CANCELLED: status.ABORTED,
  PRODUCT_NOT_FOUND: status.NOT_FOUND,
  PRODUCT_ARCHIVED: status.FAILED_PRECONDITION,
  MIXED_CURRENCIES: status.INVALID_ARGUMENT,
  TOTAL_TOO_LARGE: status.INVALID_ARGUMENT,
  PAYMENT_TOKEN_UNKNOWN: status.INVALID_ARGUMENT,
};

/** The status of a refusal, as a customer gets it. */
export function refused({ reason, message, metadata }: Refusal): StatusError {
  return new StatusError(CODES[reason], message, { reason, metadata });
}

/**
 * What a failed step means for the purchase; undefined when its outcome is open, and nothing may be undone
 * yet. A "no" that the customer can do nothing about, such as a barred charge, interrupts the purchase.
 */
export function refusalOf(error: unknown): Refusal | undefined {
  const { reason, message, metadata } = toStatusError(error);
  if (isReason(reason)) return { reason, message, metadata };
  if (reason === 'RESERVATION_EXPIRED') return { reason: 'OUT_OF_STOCK', message, metadata };
  return leavesOutcomeOpen(error) ? undefined : interrupted();
}

/** Whether a failure is none of the order's own: a peer or the database is away, or too slow to answer. */
export function isOutage(error: unknown): boolean {
  const { code } = toStatusError(error);
  return (
    code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED || code === status.RESOURCE_EXHAUSTED
  );
}

/** UNAVAILABLE: what became of the order is not known yet; the same request_id resolves it. */
export function outcomeUnknown(orderId: string, cause: unknown): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the outcome is not known yet; ask again with the same key', {
    reason: 'OUTCOME_UNKNOWN',
    metadata: { order_id: orderId },
    cause,
  });
}
