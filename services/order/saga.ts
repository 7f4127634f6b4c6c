/** The purchase, as a list of steps with their undo. */
import { toStatusError } from '#fabric/rpc/status-error.ts';
import type { Charges } from './charges.ts';
import type { Ending, Money, Order } from './domain.ts';
import { agreedTotal, priced } from './pricing.ts';
import type { PurchaseEvents } from './purchase-events.ts';
import { outcomeUnknown, refusalOf, refused } from './refusals.ts';
import type { Stock } from './stock.ts';
import type { OrderStore } from './store.ts';

/**
 * Forwards in this order. Backwards all of it, because after a crash nobody knows how far it came: a step or
 * an undo that runs twice does what it does once, and an undo does no harm where its step never ran. The
 * record of the order is the only memory; the process may end at any line.
 */
const PURCHASE: readonly Step[] = [
  { name: 'reserve', run: reserve, undo: release },
  { name: 'price', run: price },
  { name: 'charge', run: charge, undo: reverse },
  { name: 'commit', run: commit }, // undone by release, which brings back what was sold, too
  { name: 'confirm', run: confirm },
];

/** One step. It throws a refusal for a clear "no", and anything else when its outcome is open. */
type Step = {
  name: string;
  run: (order: Order, purchase: Purchase) => Promise<Order | Waiting>;
  undo?: (order: Order, work: SagaWork) => Promise<Order>;
};

/** The purchase goes no further until its payment is decided elsewhere. */
type Waiting = { waitsFor: 'payment'; order: Order };

/** What steps and their undo work with. */
export type SagaWork = { store: OrderStore; stock: Stock; charges: Charges; events: PurchaseEvents };

/** What only the customer's own request brings; the token is never recorded. */
export type Purchase = SagaWork & { paymentToken: string; expectedTotal: Money | undefined };

/**
 * Drives an order as far as it goes: CONFIRMED; FAILED with everything undone; PENDING while its payment is
 * decided elsewhere or another call has it in hand. An undo that was begun goes on. UNAVAILABLE with reason
 * OUTCOME_UNKNOWN: a step left its outcome open, so nothing was undone, and the same key drives it on.
 */
export async function drive(order: Order, purchase: Purchase): Promise<Order> {
  if (order.ending !== undefined) return undo(order, purchase, order.ending);
  let reached = order;
  try {
    for (const step of PURCHASE) {
      const next = await step.run(reached, purchase);
      if ('waitsFor' in next) return await purchase.store.rest(next.order);
      reached = next;
    }
    return reached;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) return leave(reached, purchase, error);
    return undo(reached, purchase, { state: 'FAILED', ...refusal });
  }
}

/**
 * Takes an order back, whatever it came to: money and goods return, and it ends as decided. The decision is
 * recorded first: from then on no other call can confirm what is being undone, and any call can finish it.
 */
export async function undo(order: Order, work: SagaWork, ending: Ending): Promise<Order> {
  let undone = order;
  try {
    if (order.ending === undefined) undone = await work.store.decide(order, ending);
    for (const step of PURCHASE.toReversed()) undone = (await step.undo?.(undone, work)) ?? undone;
    const ended = await work.store.end(undone);
    work.events.ended(ended);
    return ended;
  } catch (error) {
    return leave(undone, work, error);
  }
}

async function reserve(order: Order, { stock }: Purchase): Promise<Order> {
  const lines = await stock.reserve(order);
  return order.total === undefined ? { ...order, lines } : order;
}

async function release(order: Order, { stock }: SagaWork): Promise<Order> {
  await stock.release(order.orderId);
  return order;
}

/** Prices that were recorded before stand, because the charge may have been made at them. */
async function price(order: Order, { store, expectedTotal }: Purchase): Promise<Order> {
  if (order.total !== undefined) return order;
  const lines = priced(order.lines);
  const agreed = agreedTotal(lines, expectedTotal);
  if ('refusal' in agreed) throw refused(agreed.refusal);
  return store.recordPrices(order, { lines, total: agreed.total });
}

async function charge(order: Order, { charges, paymentToken }: Purchase): Promise<Order | Waiting> {
  if (order.total === undefined) throw new Error('an order is charged after it was priced');
  const { orderId, total: amount } = order;
  const { paymentId, captured } = await charges.charge({ orderId, amount, paymentToken });
  const charged = { ...order, paymentId };
  return captured ? charged : { waitsFor: 'payment', order: charged };
}

/** An order without a price was never charged, and cannot be any more: prices are not recorded after the decision. */
async function reverse(order: Order, { charges }: SagaWork): Promise<Order> {
  if (order.total === undefined) return order;
  const { paymentId, returned } = await charges.reverse(order.orderId, order.ending?.reason ?? '');
  return { ...order, paymentId, amountRefunded: returned };
}

async function commit(order: Order, { stock }: Purchase): Promise<Order> {
  await stock.commit(order.orderId);
  return order;
}

async function confirm(order: Order, { store, events }: Purchase): Promise<Order> {
  const confirmed = await store.confirm(order);
  events.confirmed(confirmed);
  return confirmed;
}

/**
 * Leaves an order whose outcome is open, for whoever asks next. What the database says comes first: the
 * answer to a COMMIT may have been lost, or another call may have taken the order over.
 */
async function leave(order: Order, { store, events }: SagaWork, cause: unknown): Promise<Order> {
  const superseded = toStatusError(cause).reason === 'ORDER_SUPERSEDED';
  try {
    const now = await store.find(order.orderId);
    if (now !== undefined && (superseded || now.state !== order.state)) return now;
    await store.rest(order);
  } catch (error) {
    events.left(order, error);
  }
  events.left(order, cause);
  throw outcomeUnknown(order.orderId, cause);
}
