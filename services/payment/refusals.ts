/** What the payment service refuses, and what it cannot tell yet. */
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';

/** NOT_FOUND, for a payment that does not exist and for another customer's alike. */
export function paymentNotFound(metadata: Record<string, string>): StatusError {
  return new StatusError(status.NOT_FOUND, 'there is no such payment', {
    reason: 'PAYMENT_NOT_FOUND',
    metadata,
  });
}

/** The order was undone before this charge, which has moved no money. */
export function chargeBarred(orderId: string): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, 'the order was settled without a charge', {
    reason: 'CHARGE_BARRED',
    metadata: { order_id: orderId },
  });
}

/** The same order with another amount, token or customer. */
export function chargeMismatch(orderId: string): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, 'the order was charged with other details', {
    reason: 'CHARGE_MISMATCH',
    metadata: { order_id: orderId },
  });
}

/** There is no charge, and the order is barred. */
export function chargeNotFound(orderId: string): StatusError {
  return new StatusError(status.NOT_FOUND, 'the order was not charged, and cannot be any more', {
    reason: 'CHARGE_NOT_FOUND',
    metadata: { order_id: orderId },
  });
}

/** The outcome is open. */
export function chargeInProgress(orderId: string, cause?: unknown): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the outcome of the charge is not known yet; ask again', {
    reason: 'CHARGE_IN_PROGRESS',
    metadata: { order_id: orderId },
    cause,
  });
}
