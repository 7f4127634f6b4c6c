/** What the payment service tells its log. */
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { StoredPayment, StoredRefund } from './entities.ts';

/** The acquirer said how a charge stands. */
export function chargeSettled(log: Logger, { orderId, paymentId, state }: StoredPayment): void {
  if (state === 'BARRED')
    log.error({ event: 'charge_after_bar', orderId, paymentId }, 'barred order charged');
  else log.info({ event: 'charge_settled', orderId, paymentId, state }, 'charge settled');
}

/** Money went back. */
export function refundSettled(log: Logger, payment: StoredPayment, refund: StoredRefund): void {
  const { orderId, paymentId } = payment;
  log.info({ event: 'refund_settled', orderId, paymentId, refundId: refund.refundId }, 'refund settled');
}
