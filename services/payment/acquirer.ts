/** The bank's side of a payment: a third party that is reached over the network and keeps its own ledger. */
import type { Money } from './domain.ts';

/** A charge to begin, or to begin again: the same key is charged once. */
export type ChargeAttempt = {
  /** Idempotency key, the same for every attempt. */
  key: string;
  orderId: string;
  amount: Money;
  /** Token of the payment method. */
  token: string;
};

/** A charge as the acquirer knows it. */
export type Charge = {
  /** The acquirer's own id. */
  id: string;
  status: 'succeeded' | 'declined' | 'pending' | 'under_review' | 'voided';
  /** Empty unless declined. */
  declineReason: 'card_declined' | 'insufficient_funds' | 'expired_card' | '';
  cardBrand: string;
  cardLast4: string;
};

/** A return of captured money; the same key is returned once. */
export type RefundAttempt = { key: string; chargeId: string; amount: Money };

/**
 * An acquirer. Every call ends with the signal. A failure that leaves the outcome open (no answer, a broken
 * one, 5xx) is UNAVAILABLE with reason ACQUIRER_UNAVAILABLE: ask again by the same key. INVALID_ARGUMENT
 * says that nothing was begun; INTERNAL with reason ACQUIRER_REFUSED is a defect of this side.
 */
export type Acquirer = {
  /** A decline is an answer. INVALID_ARGUMENT has the reason PAYMENT_TOKEN_UNKNOWN. */
  charge(attempt: ChargeAttempt, signal: AbortSignal): Promise<Charge>;
  /** The charge that was begun with a key; undefined when the acquirer has never seen the key. */
  findCharge(key: string, signal: AbortSignal): Promise<Charge | undefined>;
  /**
   * Ends a charge that is not captured, so that it never will be. Resolves when the acquirer answered, also
   * when it had decided before: only the charge itself says which.
   */
  void(chargeId: string, signal: AbortSignal): Promise<void>;
  /** Resolves when the money went back. */
  refund(attempt: RefundAttempt, signal: AbortSignal): Promise<void>;
};
