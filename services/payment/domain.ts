/** The rules of charges and refunds, pure: which outcome may follow which, and how much may go back. */

/** An exact amount of one currency. */
export type Money = { currencyCode: string; minorUnits: bigint };

/**
 * Where a charge stands. BARRED: asked to be settled before it was begun, or begun but never received by the
 * acquirer; it can no longer be begun, and nobody is shown it.
 */
export type ChargeState = 'PENDING' | 'UNDER_REVIEW' | 'SUCCEEDED' | 'DECLINED' | 'BARRED';

/** Where a payment stands for its customer: a captured one tells how much went back. */
export type PaymentState = Exclude<ChargeState, 'BARRED'> | 'REFUNDED' | 'PARTIALLY_REFUNDED';

/** What of a stored payment its rules need. */
export type Charged = {
  state: ChargeState;
  customerId: string;
  currencyCode: string;
  /** Minor units, as are the two below. */
  amountMinor: bigint;
  /** All refunds that were begun. */
  refundClaimedMinor: bigint;
  /** The refunds that the acquirer has made. */
  refundedMinor: bigint;
  tokenDigest: string;
  /** The order is undone: whatever was or will be captured goes back. */
  undone: boolean;
};

/** What a request to charge says. */
export type ChargeDemand = { customerId: string; amount: Money; tokenDigest: string };

/** How much to refund, or that the whole charge is to be undone, or why nothing is. */
export type RefundDecision =
  | { amount: bigint }
  | { undo: true }
  | { refusal: 'REFUND_EXCEEDS_CAPTURE'; left: bigint }
  | { refusal: 'CURRENCY_MISMATCH' };

/** The states that each outcome may replace; an outcome that is final is never replaced. */
export const REPLACES: Readonly<Record<Exclude<ChargeState, 'BARRED'>, readonly ChargeState[]>> = {
  PENDING: ['PENDING'],
  UNDER_REVIEW: ['PENDING'],
  SUCCEEDED: ['PENDING', 'UNDER_REVIEW'],
  DECLINED: ['PENDING', 'UNDER_REVIEW'],
};

/** Whether the acquirer still owes an outcome. */
export function isOpen(state: ChargeState): boolean {
  return state === 'PENDING' || state === 'UNDER_REVIEW';
}

/** Whether a repeated request is the one that began the charge. */
export function isSameCharge(first: Charged, { customerId, amount, tokenDigest }: ChargeDemand): boolean {
  return (
    first.customerId === customerId &&
    first.currencyCode === amount.currencyCode &&
    first.amountMinor === amount.minorUnits &&
    first.tokenDigest === tokenDigest
  );
}

/** The state that a customer is shown. */
export function paymentState(payment: Charged): PaymentState {
  if (payment.state === 'BARRED') throw new Error('a barred charge is shown to nobody');
  if (payment.refundedMinor === 0n) return payment.state;
  return payment.refundedMinor === payment.amountMinor ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
}

/**
 * Decides a refund of `asked`, or of all that is left; of a charge whose outcome is open, "all" means that it
 * shall hold nothing in the end. Refunds begun but not made yet count as returned.
 */
export function decideRefund(payment: Charged, asked: Money | undefined): RefundDecision {
  if (asked !== undefined && asked.currencyCode !== payment.currencyCode)
    return { refusal: 'CURRENCY_MISMATCH' };
  if (asked === undefined && (payment.undone || isOpen(payment.state))) return { undo: true };
  const captured = payment.state === 'SUCCEEDED' ? payment.amountMinor : 0n;
  const left = captured - payment.refundClaimedMinor;
  const amount = asked?.minorUnits ?? left;
  return amount > left || left === 0n ? { refusal: 'REFUND_EXCEEDS_CAPTURE', left } : { amount };
}

/** In ms. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** After so many looks at a barred charge no request for it is on its way any more. */
const LOOKS_AT_BARRED = 10;

/**
 * How long to wait after the given look at a payment, in ms: 1 s to a minute, and a minute to an hour where it is the
 * acquirer that has to decide, whose event tells. Undefined: it is finished, or nothing is to be expected any more.
 */
export function pauseAfter(look: number, payment: Charged & { transactionId: string }): number | undefined {
  if (isFinished(payment) || (payment.state === 'BARRED' && look >= LOOKS_AT_BARRED)) return undefined;
  const [first, longest] = isHeld(payment) ? [MINUTE, 60 * MINUTE] : [SECOND, MINUTE];
  return Math.min(first * 2 ** (look - 1), longest);
}

function isFinished({ state, refundClaimedMinor, refundedMinor }: Charged): boolean {
  return !isOpen(state) && state !== 'BARRED' && refundClaimedMinor === refundedMinor;
}

/** Whether the acquirer has the charge and has yet to decide it. */
function isHeld({ state, undone, transactionId }: Charged & { transactionId: string }): boolean {
  return isOpen(state) && !undone && transactionId !== '';
}
