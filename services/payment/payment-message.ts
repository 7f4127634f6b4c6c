/** A stored payment as the contract's message. */
import { Payment_State, Refund_State } from '#gen/mercer/payment/v1/payment.ts';
import type { Payment, Refund } from '#gen/mercer/payment/v1/payment.ts';
import { paymentState } from './domain.ts';
import type { PaymentState } from './domain.ts';
import type { StoredPayment } from './entities.ts';

const STATES = {
  PENDING: Payment_State.STATE_PENDING,
  UNDER_REVIEW: Payment_State.STATE_UNDER_REVIEW,
  SUCCEEDED: Payment_State.STATE_SUCCEEDED,
  DECLINED: Payment_State.STATE_DECLINED,
  REFUNDED: Payment_State.STATE_REFUNDED,
  PARTIALLY_REFUNDED: Payment_State.STATE_PARTIALLY_REFUNDED,
} as const satisfies Record<PaymentState, Payment_State>;

/** The message of a payment as it stands. */
export function toPayment(stored: StoredPayment): Payment {
  const money = (minorUnits: bigint) => ({ currencyCode: stored.currencyCode, minorUnits });
  return {
    paymentId: stored.paymentId,
    orderId: stored.orderId,
    customerId: stored.customerId,
    amount: money(stored.amountMinor),
    state: STATES[paymentState(stored)],
    transactionId: stored.transactionId,
    cardBrand: stored.cardBrand,
    cardLast4: stored.cardLast4,
    failureReason: stored.failureReason,
    amountRefunded: money(stored.refundedMinor),
    refunds: stored.refunds.map((refund): Refund => ({
      refundId: refund.refundId,
      amount: money(refund.amountMinor),
      reason: refund.reason,
      state: refund.state === 'PENDING' ? Refund_State.STATE_PENDING : Refund_State.STATE_SUCCEEDED,
      createTime: refund.createTime,
    })),
    createTime: stored.createTime,
    updateTime: stored.updateTime,
  };
}
