/** Returning money: the amount is claimed before the acquirer is asked, under a key of its own. */
import { status } from '@grpc/grpc-js';
import { failpoint } from '#fabric/process/failpoint.ts';
import { badRequest, StatusError } from '#fabric/rpc/status-error.ts';
import type { StoredPayment } from './entities.ts';
import { giveBack } from './give-back.ts';
import { paymentNotFound } from './refusals.ts';
import type { Dependencies, Limits } from './settle.ts';
import type { BegunRefund, NewRefund } from './store.ts';
import { undoCharge } from './undo.ts';

/**
 * Refunds an order's payment, or answers what the request's first time did. Without an amount it undoes a
 * charge whose outcome is open: from then on the order cannot be charged, and what is captured all the same
 * goes back. UNAVAILABLE and DEADLINE_EXCEEDED leave the refund PENDING with its amount claimed: the same
 * request finishes it, and if none comes the recovery does.
 */
export async function refundPayment(
  dependencies: Dependencies,
  request: NewRefund,
  limits: Limits,
): Promise<StoredPayment> {
  if (request.amount?.minorUnits === 0n) throw badRequest('amount.minor_units', 'must be above 0');
  const begun = await dependencies.store.beginRefund(request);
  await failpoint('payment.after_begin_refund');
  if (begun === undefined) throw paymentNotFound({ order_id: request.orderId });
  if ('refusal' in begun) throw refused(begun);
  if ('undo' in begun) return undoCharge(dependencies, request.orderId, limits.signal);
  const { payment, refund } = begun;
  if (request.amount !== undefined && request.amount.minorUnits !== refund.amountMinor)
    throw mismatch(request);
  if (refund.state === 'PENDING') await giveBack(dependencies, { payment, refund }, limits.signal);
  return (await dependencies.store.findByOrder(request.orderId)) ?? payment;
}

function refused({ payment, refusal }: Extract<BegunRefund, { refusal: unknown }>): StatusError {
  if (refusal.refusal === 'CURRENCY_MISMATCH')
    return badRequest('amount.currency_code', `the payment is in ${payment.currencyCode}`);
  return new StatusError(status.FAILED_PRECONDITION, 'more than is left of the captured amount', {
    reason: 'REFUND_EXCEEDS_CAPTURE',
    metadata: { order_id: payment.orderId, left: refusal.left.toString() },
  });
}

function mismatch({ orderId, requestId }: NewRefund): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, 'the request refunded another amount before', {
    reason: 'REFUND_MISMATCH',
    metadata: { order_id: orderId, request_id: requestId },
  });
}
