/** The purchase, as a list of steps with their undo. */
import { failpoint } from '#fabric/process/failpoint.ts';
import { toStatusError } from '#fabric/rpc/status-error.ts';
import type { Charge, Charges } from './charges.ts';
import { interrupted } from './domain.ts';
import type { Ending, Money, Order } from './domain.ts';
import type { Leases } from './leases.ts';
import { agreedTotal, priced } from './pricing.ts';
import type { PurchaseEvents } from './purchase-events.ts';
import { isOutage, outcomeUnknown, refusalOf, refused } from './refusals.ts';
import type { Stock } from './stock.ts';
import type { OrderStore } from './store.ts';

/**
 * Forwards in this order. Backwards all of it, because after a crash nobody knows how far it came: a step or
 * an undo that runs twice does what it does once, and an undo does no harm where its step never ran. The
 * record of the order is the only memory; the process may end at any line.
 */
const PURCHASE: readonly Step<Purchase>[] = [
  { name: 'reserve', run: reserve, undo: { name: 'release', run: release } },
  { name: 'price', run: price },
  { name: 'charge', run: charge, undo: { name: 'reverse', run: reverse } },
  { name: 'commit', run: commit }, // undone by release, which brings back what was sold, too
  { name: 'confirm', run: confirm },
];

/** What is left of a purchase whose customer is gone: a charge is finished, and never begun. */
const COMPLETION: readonly Step<SagaWork>[] = [
  { name: 'settle', run: settle },
  { name: 'commit', run: commit },
  { name: 'confirm', run: confirm },
];

/**
 * One step. It throws a refusal for a clear "no", and anything else when its outcome is open. Failpoints
 * stand around it: order.before_charge, order.after_charge and so on, for every step and undo.
 */
type Step<W> = {
  name: string;
  run: (order: Order, work: W) => Promise<Order | Waiting>;
  undo?: { name: string; run: (order: Order, work: SagaWork) => Promise<Order> };
};

/** The purchase goes no further until its payment is decided elsewhere. */
type Waiting = { waitsFor: 'payment'; order: Order };

/** What steps and their undo work with. */
export type SagaWork = {
  store: OrderStore;
  stock: Stock;
  charges: Charges;
  events: PurchaseEvents;
  leases: Leases;
  /** For how long an order that is left open waits for its customer to ask again, in ms, before recovery comes. */
  grace: number;
};

/** What only the customer's own request brings; the token is never recorded. */
export type Purchase = SagaWork & { paymentToken: string; expectedTotal: Money | undefined };

/**
 * Drives an order as far as it goes: CONFIRMED; FAILED with everything undone; PENDING while its payment is
 * decided elsewhere or another call has it in hand. An undo that was begun goes on. UNAVAILABLE with reason
 * OUTCOME_UNKNOWN: a step left its outcome open, so nothing was undone, and the same key drives it on.
 */
export function drive(order: Order, purchase: Purchase): Promise<Order> {
  return advance(order, purchase, PURCHASE);
}

/**
 * Brings an order to its end without its customer, as `drive` does: CONFIRMED when it was charged, FAILED with
 * reason INTERRUPTED when it was not, PENDING while its payment is undecided.
 */
export function complete(order: Order, work: SagaWork): Promise<Order> {
  return advance(order, work, COMPLETION);
}

async function advance<W extends SagaWork>(order: Order, work: W, steps: readonly Step<W>[]): Promise<Order> {
  if (order.ending !== undefined) return undo(order, work, order.ending);
  let reached = order;
  try {
    for (const step of steps) {
      const next = await pass(step, reached, work);
      if ('waitsFor' in next) return await work.store.rest(next.order, { failed: false, grace: 0 });
      reached = next;
    }
    return reached;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) return leave(reached, work, error);
    return undo(reached, work, { state: 'FAILED', ...refusal });
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
    await failpoint('order.after_decide');
    for (const step of PURCHASE.toReversed()) {
      if (step.undo !== undefined) undone = await pass(step.undo, undone, work);
    }
    const ended = await work.store.end(undone);
    await failpoint('order.after_end');
    work.events.ended(ended);
    return ended;
  } catch (error) {
    return leave(undone, work, error);
  }
}

/** Takes a step or an undo, with the order in hand until it is over. */
async function pass<W extends SagaWork, R>(
  { name, run }: { name: string; run: (order: Order, work: W) => Promise<R> },
  order: Order,
  work: W,
): Promise<R> {
  return work.leases.hold(order, async () => {
    try {
      await failpoint(`order.before_${name}`);
      const next = await run(order, work);
      await failpoint(`order.after_${name}`);
      work.events.stepped(name, 'done');
      return next;
    } catch (error) {
      work.events.stepped(name, refusalOf(error) === undefined ? 'open' : 'refused');
      throw error;
    }
  });
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
  return charged(order, await charges.charge({ orderId, amount, paymentToken }));
}

function charged(order: Order, { paymentId, captured }: Charge): Order | Waiting {
  const paid = { ...order, paymentId };
  return captured ? paid : { waitsFor: 'payment', order: paid };
}

/** An order without a price was never charged, and whoever had it in hand can no longer price it. */
async function settle(order: Order, { charges }: SagaWork): Promise<Order | Waiting> {
  const charge = order.total === undefined ? undefined : await charges.resolve(order.orderId);
  if (charge === undefined) throw refused(interrupted());
  return charged(order, charge);
}

/** An order without a price was never charged, and cannot be any more: prices are not recorded after the decision. */
async function reverse(order: Order, { charges }: SagaWork): Promise<Order> {
  if (order.total === undefined) return order;
  const { paymentId, returned } = await charges.reverse(order.orderId, order.ending?.reason ?? '');
  return { ...order, paymentId, amountRefunded: returned };
}

async function commit(order: Order, { stock }: SagaWork): Promise<Order> {
  await stock.commit(order.orderId);
  return order;
}

async function confirm(order: Order, { store, events }: SagaWork): Promise<Order> {
  const confirmed = await store.confirm(order);
  events.confirmed(confirmed);
  return confirmed;
}

/**
 * Leaves an order whose outcome is open, for whoever asks next. What the database says comes first: the
 * answer to a COMMIT may have been lost, or another call may have taken the order over.
 */
async function leave(order: Order, { store, events, grace }: SagaWork, cause: unknown): Promise<Order> {
  const superseded = toStatusError(cause).reason === 'ORDER_SUPERSEDED';
  try {
    const now = await store.find(order.orderId);
    if (now !== undefined && (superseded || now.state !== order.state)) return now;
    await store.rest(order, { failed: !isOutage(cause), grace });
  } catch (error) {
    events.left(order, error);
  }
  events.left(order, cause);
  throw outcomeUnknown(order.orderId, cause);
}
