/** Takes orders back, wholly by cancelling or in money alone by refunding. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { leavesOutcomeOpen } from '#fabric/data/idempotency.ts';
import type { KeyedRequest } from '#fabric/data/idempotency.ts';
import { badRequest, StatusError } from '#fabric/rpc/status-error.ts';
import type { Return } from './charges.ts';
import { cancellation, refundable } from './domain.ts';
import type { Ending, Money, Order } from './domain.ts';
import { outcomeUnknown } from './refusals.ts';
import { undo } from './saga.ts';
import type { SagaWork } from './saga.ts';

/** How long to wait for another call that is undoing the same order, in ms. */
const PATIENCE = 8_000;
/** Between two looks at it, in ms. */
const LOOK_AGAIN = 100;

/**
 * Cancels an order: money and goods return. A cancelled order is answered unchanged. FAILED_PRECONDITION
 * with reason ORDER_NOT_CANCELLABLE when it failed or was refunded, also by a call that was first;
 * UNAVAILABLE with reason OUTCOME_UNKNOWN when it is decided but not finished, and asking again finishes it.
 */
export async function cancel(order: Order, reason: string, work: SagaWork): Promise<Order> {
  const giveUp = Date.now() + PATIENCE;
  let now: Order | undefined = order;
  while (now !== undefined) {
    const next = cancellation(now);
    if (next === 'done') return now;
    if (next === 'refuse') throw notCancellable(now);
    if (Date.now() > giveUp) break;
    now = next === 'undo' ? await undo(now, work, cancelled(reason)) : await finish(now, work);
  }
  throw outcomeUnknown(order.orderId, undefined);
}

/** Goes on with an undo when nobody else does. */
async function finish(order: Order, work: SagaWork): Promise<Order | undefined> {
  const taken = await work.store.takeOver(order.orderId);
  if (taken?.ending !== undefined) return undo(taken, work, taken.ending);
  await sleep(LOOK_AGAIN);
  return work.store.find(order.orderId);
}

function cancelled(reason: string): Ending {
  const message = reason === '' ? 'the order was cancelled' : reason;
  return { state: 'CANCELLED', reason: 'ORDER_CANCELLED', message, metadata: {} };
}

/** Money to return to the customer; `amount` undefined stands for all that is left. */
export type RefundAsked = { amount: Money | undefined; reason: string; request: KeyedRequest };

/**
 * Returns money of a confirmed order; its goods stay with the customer. The same key moves money once, and what
 * was begun is finished by recovery when its call is not. The answer tells of at least the money that went back.
 * FAILED_PRECONDITION with reason ORDER_NOT_REFUNDABLE, or REFUND_EXCEEDS_CAPTURE when less is left.
 */
export async function refund(order: Order, asked: RefundAsked, work: SagaWork): Promise<Order> {
  if (!refundable(order)) throw notRefundable(order);
  checkAmount(order, asked.amount);
  const { orderId } = order;
  const { amount, reason, request } = asked;
  const begun = { orderId, amount, reason, requestId: keyFor(request) };
  try {
    if (await work.store.beginRefund(begun)) return await finishRefund(begun, work);
  } catch (error) {
    throw leavesOutcomeOpen(error) ? outcomeUnknown(orderId, error) : error;
  }
  throw notRefundable((await work.store.find(orderId)) ?? order);
}

/** Makes a refund that was begun, by its key; it is forgotten when it was made or refused, and not while its outcome is open. */
export async function finishRefund(refund: Return, { charges, store }: SagaWork): Promise<Order> {
  const { orderId, requestId, reason } = refund;
  const amountRefunded = await refundOrDrop(refund, { charges, store });
  return store.recordRefund({ orderId, requestId, amountRefunded }, reason);
}

async function refundOrDrop(
  refund: Return,
  { charges, store }: Pick<SagaWork, 'charges' | 'store'>,
): Promise<bigint> {
  try {
    return await charges.refund(refund);
  } catch (error) {
    if (!leavesOutcomeOpen(error)) await store.dropRefund(refund);
    throw error;
  }
}

/** A key of its own at the payment service for every key of every caller. */
function keyFor({ caller, key }: KeyedRequest): string {
  return `refund-${createHash('sha256').update(`${caller}\n${key}`).digest('hex')}`;
}

function checkAmount({ total }: Order, amount: Money | undefined): void {
  if (amount === undefined) return;
  if (amount.minorUnits <= 0n) throw badRequest('amount.minor_units', 'must be above 0');
  if (amount.currencyCode !== total?.currencyCode)
    throw badRequest('amount.currency_code', "must be the order's currency");
}

function notCancellable({ orderId, state }: Order): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, `the order is ${state} and cannot be cancelled`, {
    reason: 'ORDER_NOT_CANCELLABLE',
    metadata: { order_id: orderId, state },
  });
}

function notRefundable({ orderId, state }: Order): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, `the order is ${state} and cannot be refunded`, {
    reason: 'ORDER_NOT_REFUNDABLE',
    metadata: { order_id: orderId, state },
  });
}
