/** Charging an order once: ask the acquirer, and while the outcome is open ask again by the same key. */
import { createHash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Acquirer, Charge } from './acquirer.ts';
import { isOpen, isSameCharge } from './domain.ts';
import type { Money } from './domain.ts';
import type { StoredPayment } from './entities.ts';
import { chargeSettled } from './events.ts';
import { whileOpen } from './while-open.ts';
import type { ChargeOutcome, PaymentStore } from './store.ts';

/** What charging and refunding stand on. */
export type Dependencies = { store: PaymentStore; acquirer: Acquirer; log: Logger };

/** How long to try. */
export type Limits = { deadline: Date; signal: AbortSignal };

/** An order to charge. */
export type ChargeRequest = { orderId: string; customerId: string; amount: Money; token: string };

/** A request that left just before its deadline may reach the acquirer this much later, in ms. */
const IN_FLIGHT = 5_000;

/**
 * Charges an order, or answers the outcome it had. The payment is durable before the acquirer hears of it.
 * INVALID_ARGUMENT and FAILED_PRECONDITION mean that this call charged nothing; after any other failure the
 * outcome is open, and a repetition or resolveCharge finds it out.
 */
export async function chargeOrder(
  dependencies: Dependencies,
  request: ChargeRequest,
  limits: Limits,
): Promise<StoredPayment> {
  const { orderId, customerId, amount, token } = request;
  const demand = { customerId, amount, tokenDigest: digest(orderId, token) };
  const window = limits.deadline.getTime() - Date.now() + IN_FLIGHT;
  const { payment, fresh } = await dependencies.store.begin({ orderId, ...demand, window });
  if (payment.state === 'BARRED') throw barred(orderId);
  if (!isSameCharge(payment, demand)) throw mismatch(orderId);
  if (!isOpen(payment.state)) return payment;
  // Not extended: it was finished, barred or forgotten meanwhile, and is looked at again.
  if (!fresh && !(await dependencies.store.extend(orderId, window)))
    return chargeOrder(dependencies, request, limits);
  return settle(dependencies, orderId, await askUntilKnown(dependencies, { request, fresh }, limits));
}

/**
 * Finishes or reports the charge of an order. NOT_FOUND with reason CHARGE_NOT_FOUND when there is none: the
 * order is barred then. UNAVAILABLE while the acquirer is silent, or may still receive the charge.
 */
export async function resolveCharge(
  dependencies: Dependencies,
  orderId: string,
  { signal }: Limits,
): Promise<StoredPayment> {
  const payment = await dependencies.store.findByOrder(orderId);
  if (payment !== undefined && isOpen(payment.state)) {
    const charge = await whileOpen(signal, () => dependencies.acquirer.findCharge(keyOf(orderId), signal));
    if (charge !== undefined) return settle(dependencies, orderId, charge);
  }
  await dependencies.store.bar(orderId);
  const now = await dependencies.store.findByOrder(orderId);
  if (now === undefined || now.state === 'BARRED') throw notFound(orderId);
  if (isOpen(now.state)) throw inProgress(orderId);
  return now;
}

/** Queries before it charges, except the very first time: the acquirer may know more than this process. */
async function askUntilKnown(
  { store, acquirer }: Dependencies,
  { request, fresh }: { request: ChargeRequest; fresh: boolean },
  { signal }: Limits,
): Promise<Charge> {
  const { orderId, amount, token } = request;
  const key = keyOf(orderId);
  let begun = !fresh;
  try {
    return await whileOpen(signal, async () => {
      const known = begun ? await acquirer.findCharge(key, signal) : undefined;
      begun = true;
      return known ?? (await acquirer.charge({ key, orderId, amount, token }, signal));
    });
  } catch (error) {
    if (error instanceof StatusError && error.code === status.INVALID_ARGUMENT) await store.forget(orderId);
    throw error;
  }
}

/** Records what the acquirer said. Not recorded is not refused, whatever the database's error looks like. */
async function settle({ store, log }: Dependencies, orderId: string, charge: Charge): Promise<StoredPayment> {
  try {
    const payment = await store.settle(orderId, outcomeOf(charge));
    chargeSettled(log, payment);
    return payment;
  } catch (error) {
    throw inProgress(orderId, error);
  }
}

function outcomeOf(charge: Charge): ChargeOutcome {
  return {
    state: STATES[charge.status],
    transactionId: charge.id,
    cardBrand: charge.cardBrand,
    cardLast4: charge.cardLast4,
    failureReason: charge.declineReason,
  };
}

const STATES = {
  succeeded: 'SUCCEEDED',
  declined: 'DECLINED',
  pending: 'PENDING',
  under_review: 'UNDER_REVIEW',
} as const satisfies Record<Charge['status'], ChargeOutcome['state']>;

/** An order is charged at most once, so its id makes the key. */
function keyOf(orderId: string): string {
  return `charge-${orderId}`;
}

/** Tells whether a repetition carries the same token; the token itself is never stored. */
function digest(orderId: string, token: string): string {
  return createHash('sha256').update(`${orderId}\n${token}`).digest('base64url');
}

function barred(orderId: string): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, 'the order was settled without a charge', {
    reason: 'CHARGE_BARRED',
    metadata: { order_id: orderId },
  });
}

function mismatch(orderId: string): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, 'the order was charged with other details', {
    reason: 'CHARGE_MISMATCH',
    metadata: { order_id: orderId },
  });
}

function notFound(orderId: string): StatusError {
  return new StatusError(status.NOT_FOUND, 'the order was not charged, and cannot be any more', {
    reason: 'CHARGE_NOT_FOUND',
    metadata: { order_id: orderId },
  });
}

function inProgress(orderId: string, cause?: unknown): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the outcome of the charge is not known yet; ask again', {
    reason: 'CHARGE_IN_PROGRESS',
    metadata: { order_id: orderId },
    cause,
  });
}
