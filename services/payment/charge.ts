/** Charging an order once: ask the acquirer, and while the outcome is open ask again by the same key. */
import { createHash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { failpoint } from '#fabric/process/failpoint.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Charge } from './acquirer.ts';
import { isOpen, isSameCharge } from './domain.ts';
import type { Money } from './domain.ts';
import type { StoredPayment } from './entities.ts';
import { chargeBarred, chargeInProgress, chargeMismatch, chargeNotFound } from './refusals.ts';
import { keyOf, settle } from './settle.ts';
import type { Dependencies, Limits } from './settle.ts';
import { undoCharge } from './undo.ts';
import { whileOpen } from './while-open.ts';

/** An order to charge. */
export type ChargeRequest = { orderId: string; customerId: string; amount: Money; token: string };

/** A request that left just before its deadline may reach the acquirer this much later, in ms. */
const IN_FLIGHT = 5_000;

/**
 * Charges an order, or answers the outcome it had. The payment is durable before the acquirer hears of it.
 * INVALID_ARGUMENT and FAILED_PRECONDITION mean that this call charged nothing; after any other failure the
 * outcome is open, and a repetition or resolveCharge finds it out. A charge that was undone while it was under
 * way is answered as it ended, DECLINED or REFUNDED.
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
  await failpoint('payment.after_begin');
  if (payment.state === 'BARRED') throw chargeBarred(orderId);
  if (!isSameCharge(payment, demand)) throw chargeMismatch(orderId);
  if (payment.undone) throw chargeBarred(orderId);
  if (!isOpen(payment.state)) return payment;
  // Not extended: it was finished, undone, barred or forgotten meanwhile, and is looked at again.
  if (!fresh && !(await dependencies.store.extend(orderId, window)))
    return chargeOrder(dependencies, request, limits);
  const charge = await askUntilKnown(dependencies, { request, fresh }, limits);
  await failpoint('payment.after_charge');
  const settled = await settle(dependencies, orderId, charge);
  return settled.undone ? undoCharge(dependencies, orderId, limits.signal) : settled;
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
  if (payment?.undone === true) return undoCharge(dependencies, orderId, signal);
  if (payment !== undefined && isOpen(payment.state)) {
    const charge = await whileOpen(signal, () => dependencies.acquirer.findCharge(keyOf(orderId), signal));
    if (charge !== undefined) return settle(dependencies, orderId, charge);
  }
  await dependencies.store.bar(orderId);
  const now = await dependencies.store.findByOrder(orderId);
  if (now === undefined || now.state === 'BARRED') throw chargeNotFound(orderId);
  if (isOpen(now.state)) throw chargeInProgress(orderId);
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

/** Tells whether a repetition carries the same token; the token itself is never stored. */
function digest(orderId: string, token: string): string {
  return createHash('sha256').update(`${orderId}\n${token}`).digest('base64url');
}
