/** What the payment service tells its log. */
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { StoredPayment, StoredRefund } from './entities.ts';

/** The acquirer said how a charge stands. */
export function chargeSettled(log: Logger, payment: StoredPayment): void {
  const { orderId, paymentId, state, undone } = payment;
  if (state === 'BARRED')
    log.warn(
      { event: 'charge_after_bar', orderId, paymentId },
      'the acquirer knows a charge of a barred order',
    );
  else if (undone && state === 'SUCCEEDED')
    log.warn({ event: 'charge_after_undo', orderId, paymentId }, 'charge of an undone order goes back');
  else log.info({ event: 'charge_settled', orderId, paymentId, state }, 'charge settled');
}

/** Money went back. */
export function refundSettled(log: Logger, payment: StoredPayment, refund: StoredRefund): void {
  const { orderId, paymentId } = payment;
  log.info({ event: 'refund_settled', orderId, paymentId, refundId: refund.refundId }, 'refund settled');
}

/** A payment could not be finished now; it will be looked at again. */
export function recoveryFailed(log: Logger, orderId: string, failure: unknown): void {
  log.warn({ event: 'payment_recovery_failed', orderId, err: failure }, 'payment not finished yet');
}
