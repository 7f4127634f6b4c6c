/** Undoes a charge whatever becomes of it: voided while it is open, given back once it was captured. */
import { failpoint } from '#fabric/process/failpoint.ts';
import type { Acquirer, Charge } from './acquirer.ts';
import { isOpen } from './domain.ts';
import type { StoredPayment } from './entities.ts';
import { giveBackAll } from './give-back.ts';
import { chargeInProgress, chargeNotFound } from './refusals.ts';
import { keyOf, settle } from './settle.ts';
import type { Dependencies } from './settle.ts';
import { whileOpen } from './while-open.ts';

/**
 * Undoes the charge of an order that is marked as undone, or barred, until it holds nothing: DECLINED with
 * failure reason `voided`, or REFUNDED. NOT_FOUND with reason CHARGE_NOT_FOUND when there never was one;
 * after UNAVAILABLE and DEADLINE_EXCEEDED the recovery goes on with it.
 */
export async function undoCharge(
  dependencies: Dependencies,
  orderId: string,
  signal: AbortSignal,
): Promise<StoredPayment> {
  const payment = await decided(dependencies, orderId, signal);
  return giveBackAll(dependencies, payment, signal);
}

async function decided(
  dependencies: Dependencies,
  orderId: string,
  signal: AbortSignal,
): Promise<StoredPayment> {
  const { store, acquirer } = dependencies;
  const payment = await store.findByOrder(orderId);
  if (payment !== undefined && !isOpen(payment.state) && payment.state !== 'BARRED') return payment;
  const charge = await whileOpen(signal, () => endCharge(acquirer, keyOf(orderId), signal));
  await failpoint('payment.after_void');
  if (charge === undefined) await store.bar(orderId);
  else await settle(dependencies, orderId, charge);
  const now = await store.findByOrder(orderId);
  if (now === undefined || now.state === 'BARRED') throw chargeNotFound(orderId);
  if (isOpen(now.state)) throw chargeInProgress(orderId);
  return now;
}

/** Voiding and capturing exclude each other at the acquirer, and the charge itself says which came first. */
async function endCharge(acquirer: Acquirer, key: string, signal: AbortSignal): Promise<Charge | undefined> {
  const charge = await acquirer.findCharge(key, signal);
  if (charge?.status !== 'pending' && charge?.status !== 'under_review') return charge;
  await acquirer.void(charge.id, signal);
  return acquirer.findCharge(key, signal);
}
