/** Joins by order id what the services and the acquirer know of each purchase. */
import type { AcquirerEntry, Books, Order, Payment, PaymentEntry, Reservation } from './books.ts';

/** What is known of one order, wherever it is known. */
export type Purchase = {
  orderId: string;
  order: Order | undefined;
  reservation: Reservation | undefined;
  payment: Payment | undefined;
  paymentEntries: readonly PaymentEntry[];
  acquirerEntries: readonly AcquirerEntry[];
  /** How long ago anything of it changed anywhere, in ms. */
  unchanged: number;
};

/** One for every order id that occurs. */
export function purchasesOf(books: Books): Purchase[] {
  const orders = indexed(books.orders);
  const reservations = indexed(books.reservations);
  const payments = indexed(books.payments);
  const movements = Map.groupBy(books.movements, orderIdOf);
  const paymentEntries = Map.groupBy(books.paymentEntries, orderIdOf);
  const acquirerEntries = Map.groupBy(books.acquirerEntries, orderIdOf);
  const known = [orders, reservations, payments, movements, paymentEntries, acquirerEntries];
  const orderIds = new Set(known.flatMap((each) => [...each.keys()]));
  return [...orderIds].map((orderId) => {
    const purchase = {
      order: orders.get(orderId),
      reservation: reservations.get(orderId),
      payment: payments.get(orderId),
      paymentEntries: paymentEntries.get(orderId) ?? [],
      acquirerEntries: acquirerEntries.get(orderId) ?? [],
    };
    const touched = [
      purchase.order,
      purchase.reservation,
      purchase.payment,
      ...(movements.get(orderId) ?? []),
    ];
    const entered = [...purchase.paymentEntries, ...purchase.acquirerEntries];
    const ages = [
      ...touched.flatMap((each) => (each === undefined ? [] : each.unchanged)),
      ...entered.map(({ age }) => age),
    ];
    return { orderId, ...purchase, unchanged: Math.min(...ages) };
  });
}

/** Whether an order is still on its way: a purchase that did not end, or an undo that was begun and did not end. */
export function isOpen({ state, ending }: Order): boolean {
  return state === 'PENDING' || (ending !== undefined && ending !== state);
}

/** Whether an order ended with goods sold; FAILED and CANCELLED are the ends without. */
export function isSold({ state }: Pick<Order, 'state'>): boolean {
  return state === 'CONFIRMED' || state === 'REFUNDED';
}

/** Whether a charge has no outcome yet. */
export function isUndecided({ state }: Payment): boolean {
  return state === 'PENDING' || state === 'UNDER_REVIEW';
}

/** Whether the acquirer has a charge and did not decide it; of an order that is undone it does not matter any more. */
export function waitsForAcquirer({ order, payment, acquirerEntries }: Purchase): boolean {
  return (
    order?.ending === undefined &&
    payment !== undefined &&
    isUndecided(payment) &&
    payment.transactionId !== '' &&
    acquirerEntries.length === 0
  );
}

function indexed<T extends { orderId: string }>(rows: readonly T[]): Map<string, T> {
  return new Map(rows.map((row) => [row.orderId, row]));
}

function orderIdOf({ orderId }: { orderId: string }): string {
  return orderId;
}
