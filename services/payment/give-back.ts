/** Makes a refund that was begun, by its own key at the acquirer. */
import { failpoint } from '#fabric/process/failpoint.ts';
import type { StoredPayment, StoredRefund } from './entities.ts';
import { refundSettled } from './events.ts';
import type { Dependencies } from './settle.ts';
import { whileOpen } from './while-open.ts';

/** Gives the money of a refund back, once however often it is called; a failure leaves the refund PENDING. */
export async function giveBack(
  { store, acquirer, log }: Dependencies,
  { payment, refund }: { payment: StoredPayment; refund: StoredRefund },
  signal: AbortSignal,
): Promise<void> {
  const order = {
    key: `refund-${refund.refundId}`,
    chargeId: payment.transactionId,
    amount: { currencyCode: payment.currencyCode, minorUnits: refund.amountMinor },
  };
  await whileOpen(signal, () => acquirer.refund(order, signal));
  await failpoint('payment.after_refund');
  await store.settleRefund(refund.refundId);
  refundSettled(log, payment, refund);
}

/** Makes all refunds of a payment that were begun, and answers the payment as it stands then. */
export async function giveBackAll(
  dependencies: Dependencies,
  payment: StoredPayment,
  signal: AbortSignal,
): Promise<StoredPayment> {
  for (const refund of payment.refunds) {
    if (refund.state === 'PENDING') await giveBack(dependencies, { payment, refund }, signal);
  }
  return (await dependencies.store.findByOrder(payment.orderId)) ?? payment;
}
