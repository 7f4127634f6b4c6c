/** Records what the acquirer said of a charge. */
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Acquirer, Charge } from './acquirer.ts';
import type { StoredPayment } from './entities.ts';
import { chargeSettled } from './events.ts';
import { chargeInProgress } from './refusals.ts';
import type { ChargeOutcome, PaymentStore } from './store.ts';

/** What charging and refunding stand on. */
export type Dependencies = { store: PaymentStore; acquirer: Acquirer; log: Logger };

/** How long to try. */
export type Limits = { deadline: Date; signal: AbortSignal };

/** Records an outcome. Not recorded is not refused, whatever the database's error looks like. */
export async function settle(
  { store, log }: Dependencies,
  orderId: string,
  charge: Charge,
): Promise<StoredPayment> {
  try {
    const payment = await store.settle(orderId, outcomeOf(charge));
    chargeSettled(log, payment);
    return payment;
  } catch (error) {
    throw chargeInProgress(orderId, error);
  }
}

function outcomeOf(charge: Charge): ChargeOutcome {
  return {
    state: STATES[charge.status],
    transactionId: charge.id,
    cardBrand: charge.cardBrand,
    cardLast4: charge.cardLast4,
    failureReason: charge.status === 'voided' ? 'voided' : charge.declineReason,
  };
}

const STATES = {
  succeeded: 'SUCCEEDED',
  declined: 'DECLINED',
  pending: 'PENDING',
  under_review: 'UNDER_REVIEW',
  voided: 'DECLINED',
} as const satisfies Record<Charge['status'], ChargeOutcome['state']>;

const KEY = /^charge-(?<orderId>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/u;

/** An order is charged at most once, so its id makes the acquirer's key. */
export function keyOf(orderId: string): string {
  return `charge-${orderId}`;
}

/** The order whose charge has a key; undefined for a key that is not of this service's making. */
export function orderOf(key: string): string | undefined {
  return KEY.exec(key)?.groups?.['orderId'];
}
