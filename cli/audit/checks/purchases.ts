/** The rules that join the services: an order, its goods and its payment agree. */
import type { Order, Payment, Reservation } from '../books.ts';
import { isOpen, isSold } from '../purchases.ts';
import type { Purchase } from '../purchases.ts';
import { amount, sameAmount, sum } from './amount.ts';
import { eachPurchase, when } from './check.ts';
import type { Check } from './check.ts';

/** All of them; orders that are still open are left to the checks of progress. */
export const PURCHASE_CHECKS: readonly Check[] = [
  {
    id: 'order-reference',
    says: 'goods and money belong to an order that exists',
    look: ({ purchases }) => eachPurchase(purchases, orphaned),
  },
  {
    id: 'order-stock',
    says: 'a confirmed order has bought its lines, an undone one holds nothing',
    look: ({ purchases }) => eachPurchase(purchases, (each) => whenEnded(each, misstocked)),
  },
  {
    id: 'order-price',
    says: 'an order pays the prices that its goods were reserved at',
    look: ({ purchases }) => eachPurchase(purchases, mispriced),
  },
  {
    id: 'order-payment',
    says: 'a confirmed order has one capture of its total, and a charge is of its order',
    look: ({ purchases }) => eachPurchase(purchases, (each) => whenEnded(each, mispaid)),
  },
  {
    id: 'money-net',
    says: 'the shop keeps what the order says, of an undone one nothing',
    look: ({ purchases }) => eachPurchase(purchases, (each) => whenEnded(each, misbalanced)),
  },
];

function whenEnded(purchase: Purchase, judge: (order: Order, purchase: Purchase) => string[]): string[] {
  const { order } = purchase;
  return order === undefined || isOpen(order) ? [] : judge(order, purchase);
}

function orphaned({ order, reservation, payment, paymentEntries, acquirerEntries }: Purchase): string[] {
  if (order !== undefined) return [];
  const known = [
    ...when(reservation !== undefined, 'a reservation'),
    ...when(payment !== undefined || paymentEntries.length > 0, 'a payment'),
    ...when(acquirerEntries.length > 0, "a line in the acquirer's ledger"),
  ];
  return when(known.length > 0, `${known.join(', ')}, but there is no such order`);
}

function misstocked(order: Order, { reservation }: Purchase): string[] {
  const holds = reservation?.state === 'HELD' || reservation?.state === 'COMMITTED';
  if (!isSold(order)) return when(holds, `${order.state}, but its reservation is ${reservation?.state}`);
  if (reservation?.state !== 'COMMITTED')
    return [`${order.state}, but its reservation is ${reservation?.state ?? 'missing'}`];
  const ordered = goods(order);
  const bought = goods(reservation);
  return when(ordered !== bought, `ordered ${ordered}, but bought ${bought}`);
}

function goods({ lines }: Pick<Order, 'lines'> | Pick<Reservation, 'lines'>): string {
  return lines
    .map(({ productId, quantity }) => `${quantity} x ${productId}`)
    .toSorted()
    .join(', ');
}

function mispriced({ order, reservation }: Purchase): string[] {
  const { total } = order ?? {};
  if (order === undefined || total === undefined) return [];
  const prices = new Map(reservation?.lines.map(({ productId, price }) => [productId, price]));
  return order.lines.flatMap(({ productId, unitPrice = 0n }) => {
    const reserved = prices.get(productId);
    const asked = { currencyCode: total.currencyCode, minorUnits: unitPrice };
    if (reserved === undefined || sameAmount(asked, reserved)) return [];
    return [`${productId} at ${amount(asked)}, but reserved at ${amount(reserved)}`];
  });
}

function mispaid(order: Order, { payment, paymentEntries }: Purchase): string[] {
  const { state, total } = order;
  const captures = paymentEntries.filter(({ kind }) => kind === 'CAPTURE');
  const differs = payment === undefined ? [] : foreignTo(order, payment);
  if (!isSold(order)) return differs;
  const [capture] = captures;
  return [
    ...differs,
    ...when(payment?.state !== 'SUCCEEDED', `${state}, but its payment is ${payment?.state ?? 'missing'}`),
    ...when(captures.length !== 1, `${state}, but captured ${captures.length} times`),
    ...when(
      capture !== undefined && total !== undefined && !sameAmount(capture.amount, total),
      `costs ${total?.minorUnits}, but ${capture?.amount.minorUnits} was captured`,
    ),
  ];
}

/** A charge that arrived after its order was undone has no order that names it. */
function foreignTo({ state, customerId, total, paymentId }: Order, payment: Payment): string[] {
  if (payment.state === 'BARRED') return [];
  const unnamed = paymentId === '' && !isSold({ state });
  return [
    ...when(
      total === undefined || !sameAmount(total, payment.amount),
      `costs ${total === undefined ? 'nothing yet' : amount(total)}, but ${amount(payment.amount)} was charged`,
    ),
    ...when(payment.customerId !== customerId, `of ${customerId}, but ${payment.customerId} was charged`),
    ...when(
      paymentId !== payment.paymentId && !unnamed,
      `names payment "${paymentId}", but its payment is ${payment.paymentId}`,
    ),
  ];
}

/** Money that is on its way back counts when it has arrived. */
function misbalanced(order: Order, { payment, paymentEntries }: Purchase): string[] {
  if (payment !== undefined && payment.claimed !== payment.refunded) return [];
  const amounts = Map.groupBy(paymentEntries, ({ kind }) => kind);
  const captured = sum((amounts.get('CAPTURE') ?? []).map((each) => each.amount.minorUnits));
  const refunded = sum((amounts.get('REFUND') ?? []).map((each) => each.amount.minorUnits));
  const kept = captured - refunded;
  const due = order.state === 'CONFIRMED' ? (order.total?.minorUnits ?? 0n) - order.amountRefunded : 0n;
  const says = `${order.state}, so ${due} is the shop's, but it kept ${captured} - ${refunded} = ${kept}`;
  return when(kept !== due, says);
}
