/** The money of an order, as the payment service moves it: charge, settle, return, each idempotent by its key. */
import { status } from '@grpc/grpc-js';
import type { ServiceClient } from '#fabric/rpc/service-definition.ts';
import { StatusError, toStatusError } from '#fabric/rpc/status-error.ts';
import { Payment_State } from '#gen/mercer/payment/v1/payment.ts';
import type { Payment } from '#gen/mercer/payment/v1/payment.ts';
import {
  ChargeOrderRequest,
  RefundPaymentRequest,
  ResolveChargeRequest,
} from '#gen/mercer/payment/v1/payment_service.ts';
import type { PaymentServiceService } from '#gen/mercer/payment/v1/payment_service.ts';
import type { Money } from './domain.ts';
import { insist } from './insist.ts';
import { outcomeUnknown } from './refusals.ts';

/** A payment that went through, or that still waits for its acquirer. */
export type Charge = { paymentId: string; captured: boolean };

/** Money to return; `amount` undefined stands for all that is left. */
export type Return = { orderId: string; requestId: string; amount?: Money | undefined; reason: string };

/** What a purchase does with money. A "no" is a refusal; anything else leaves the outcome open. */
export type Charges = {
  /** Charges an order once. A decline is a refusal with reason PAYMENT_DECLINED. */
  charge(order: { orderId: string; amount: Money; paymentToken: string }): Promise<Charge>;
  /**
   * What became of an order's charge, without ever charging; undefined when none was begun, and none can be
   * from then on. A decline is a refusal with reason PAYMENT_DECLINED.
   */
  resolve(orderId: string): Promise<Charge | undefined>;
  /** Returns money of a captured payment, and tells how much of it went back by now, in minor units. */
  refund(money: Return): Promise<bigint>;
  /**
   * Returns whatever was charged, voids what the acquirer has not decided, and bars the order from being
   * charged later. UNAVAILABLE with reason OUTCOME_UNKNOWN while money of an earlier refund is on its way.
   */
  reverse(orderId: string, reason: string): Promise<{ paymentId: string; returned: bigint }>;
};

/** In ms, for one attempt; a charge covers the acquirer's own timeout of 5 s and the question after it. */
const TIMEOUTS = { charge: 8_000, resolve: 6_000, refund: 6_000 };
/** In ms: a charge in flight lasts no longer, and the payment service says so for 5 s after its end. */
const IN_FLIGHT = 14_000;

/**
 * The payment service's part of a purchase. `patience`, in ms, is how long it waits for a charge that another
 * call has in flight, when it is asked what became of it.
 */
export function chargesOf(
  payments: Pick<ServiceClient<PaymentServiceService>, 'chargeOrder' | 'resolveCharge' | 'refundPayment'>,
  patience: number = IN_FLIGHT,
): Charges {
  async function refund({ amount, ...money }: Return): Promise<Payment> {
    const request = RefundPaymentRequest.fromPartial({
      ...money,
      ...(amount === undefined ? {} : { amount }),
    });
    return insist(async () => known(await payments.refundPayment(request, { timeout: TIMEOUTS.refund })));
  }

  /** Never charges: a charge that was begun is finished by its own key, one that was not is barred. */
  async function resolved(orderId: string): Promise<Payment> {
    const request = ResolveChargeRequest.fromPartial({ orderId });
    return known(await payments.resolveCharge(request, { timeout: TIMEOUTS.resolve }));
  }

  /** One attempt to undo a charge, which leaves its outcome open until nothing of it is held any more. */
  async function undone(orderId: string, reason: string): Promise<Payment> {
    const charged = await resolved(orderId);
    if (holdsNothing(charged)) return charged;
    const payment = await restOf(orderId, reason);
    if (!holdsNothing(payment)) throw outcomeUnknown(orderId, undefined); // a refund is on its way
    return payment;
  }

  /** All that is left may be claimed by refunds that are on their way, which the payment service finishes. */
  async function restOf(orderId: string, reason: string): Promise<Payment> {
    const request = RefundPaymentRequest.fromPartial({ orderId, reason, requestId: `reverse-${orderId}` });
    try {
      return known(await payments.refundPayment(request, { timeout: TIMEOUTS.refund }));
    } catch (error) {
      throw toStatusError(error).reason === 'REFUND_EXCEEDS_CAPTURE' ? outcomeUnknown(orderId, error) : error;
    }
  }

  return {
    async charge(order) {
      // The payment service asks its acquirer before it charges again, so that a repetition takes no money.
      const request = ChargeOrderRequest.fromPartial(order);
      const charge = await insist(() => payments.chargeOrder(request, { timeout: TIMEOUTS.charge }));
      return outcomeOf(known(charge));
    },
    async resolve(orderId) {
      const payment = await orNone(insist(() => resolved(orderId), patience));
      return payment === undefined ? undefined : outcomeOf(payment);
    },
    refund: async (money) => returned(await refund(money)),
    async reverse(orderId, reason) {
      const payment = await orNone(insist(() => undone(orderId, reason), patience));
      if (payment === undefined) return { paymentId: '', returned: 0n };
      return { paymentId: payment.paymentId, returned: returned(payment) };
    },
  };
}

function outcomeOf({ paymentId, state, failureReason }: Payment): Charge {
  switch (state) {
    case Payment_State.STATE_SUCCEEDED:
      return { paymentId, captured: true };
    case Payment_State.STATE_PENDING:
    case Payment_State.STATE_UNDER_REVIEW:
      return { paymentId, captured: false };
    case Payment_State.STATE_DECLINED:
      throw declined(failureReason);
    case Payment_State.STATE_REFUNDED:
    case Payment_State.STATE_PARTIALLY_REFUNDED:
      throw new StatusError(status.FAILED_PRECONDITION, 'the payment of this order was returned before');
    case Payment_State.STATE_UNSPECIFIED:
    case Payment_State.UNRECOGNIZED:
      throw new Error('the payment service answered a state that it never sends');
  }
}

function declined(reason: string): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, `the payment was declined: ${reason}`, {
    reason: 'PAYMENT_DECLINED',
    metadata: { decline_reason: reason },
  });
}

function holdsNothing({ state }: Payment): boolean {
  return state === Payment_State.STATE_DECLINED || state === Payment_State.STATE_REFUNDED;
}

function returned({ amountRefunded }: Payment): bigint {
  return amountRefunded?.minorUnits ?? 0n;
}

/** NOT_FOUND: no charge was begun or none reached the acquirer, and from now on none can be. */
async function orNone(payment: Promise<Payment>): Promise<Payment | undefined> {
  try {
    return await payment;
  } catch (error) {
    if (toStatusError(error).code === status.NOT_FOUND) return undefined;
    throw error;
  }
}

/** What the contract always answers; without it the outcome is open. */
function known({ payment }: { payment: Payment | undefined }): Payment {
  if (payment === undefined) throw new Error('the payment service left out what its contract promises');
  return payment;
}
