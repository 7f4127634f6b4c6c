/** Tries the rules that join the services by planted breaches, and when they hold their tongue. */
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { booksOf } from '../honest-shop.fixture.ts';
import { judge } from '../judge.ts';
import { PURCHASE_CHECKS } from './purchases.ts';
import {
  breachesOf,
  order,
  payment,
  reservation,
  settledBooks,
  tryPlants,
} from './planted-breach.fixture.ts';

tryPlants(PURCHASE_CHECKS, [
  {
    plant: 'goods and money of no order',
    into: (books) => {
      const { orderId } = order(books, 'confirmed');
      books.orders = books.orders.filter((each) => each.orderId !== orderId);
      books.keys = books.keys.filter((each) => each.orderId !== orderId);
    },
    flagged: ['order-reference'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'paid, but the goods went back',
    into: (books) => {
      reservation(books, 'partly refunded').state = 'RELEASED';
    },
    flagged: ['order-stock', 'stock-reservations', 'reservation-ledger'],
    entity: 'order PARTLY REFUNDED',
  },
  {
    plant: 'goods sold to a failed order',
    into: (books) => {
      reservation(books, 'out of stock').state = 'COMMITTED';
    },
    flagged: ['order-stock'],
    entity: 'order OUT OF STOCK',
  },
  {
    plant: 'other goods bought than ordered',
    into: (books) => {
      for (const line of order(books, 'refunded').lines) line.quantity += 1n;
    },
    flagged: ['order-stock', 'order-total'],
    entity: 'order REFUNDED',
  },
  {
    plant: 'a price of the customer',
    into: (books) => {
      const cheap = order(books, 'under review');
      for (const line of cheap.lines) line.unitPrice = 1n;
    },
    flagged: ['order-price', 'order-total'],
    entity: 'order UNDER REVIEW',
  },
  {
    plant: 'confirmed without payment',
    into: (books) => {
      const { orderId } = order(books, 'confirmed');
      books.payments = books.payments.filter((each) => each.orderId !== orderId);
      books.paymentEntries = books.paymentEntries.filter((each) => each.orderId !== orderId);
      books.acquirerEntries = books.acquirerEntries.filter((each) => each.orderId !== orderId);
    },
    flagged: ['order-payment', 'money-net'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'an order that names no payment',
    into: (books) => {
      order(books, 'refunded').paymentId = '';
    },
    flagged: ['order-payment'],
    entity: 'order REFUNDED',
  },
  {
    plant: 'a payment of another customer',
    into: (books) => {
      payment(books, 'confirmed').customerId = 'mallory';
    },
    flagged: ['order-payment'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'cancelled, and the money kept',
    into: (books) => {
      const { orderId } = order(books, 'cancelled');
      const cancelled = payment(books, 'cancelled');
      Object.assign(cancelled, { refunds: [], claimed: 0n, refunded: 0n });
      order(books, 'cancelled').amountRefunded = 0n;
      const isRefund = (each: { kind: string; orderId: string }): boolean =>
        each.orderId === orderId && each.kind.toLowerCase() === 'refund';
      books.paymentEntries = books.paymentEntries.filter((each) => !isRefund(each));
      books.acquirerEntries = books.acquirerEntries.filter((each) => !isRefund(each));
    },
    flagged: ['money-net'],
    entity: 'order CANCELLED',
  },
]);

test('what changed a moment ago is only suspected', () => {
  const young = booksOf([{ course: 'confirmed', quantities: [1], age: 4_000 }]);
  young.reservations = [];
  const verdict = judge(young).find(({ id }) => id === 'order-stock');
  deepEqual(
    verdict?.suspicions.map(({ settlesIn }) => settlesIn),
    [6_000],
  );
});

test('one young line in any book makes a purchase unsettled', () => {
  const books = settledBooks();
  const { orderId, amount } = payment(books, 'confirmed');
  books.acquirerEntries.push({ kind: 'refund', orderId, amount, age: 1_000 });
  const verdict = judge(books).find(({ id }) => id === 'acquirer-refund');
  deepEqual(
    verdict?.suspicions.map(({ settlesIn }) => settlesIn),
    [9_000],
  );
});

test('money of an undone order that was captured late and given back is in order', () => {
  const books = settledBooks();
  Object.assign(order(books, 'cancelled'), { amountRefunded: 0n, paymentId: '' });
  deepEqual(breachesOf(books), []);
});

test('an order that is being undone is not judged before its end', () => {
  const books = settledBooks();
  const undone = order(books, 'cancelled');
  undone.history.pop();
  Object.assign(undone, { state: 'CONFIRMED', amountRefunded: 0n, unchanged: 20_000 });
  deepEqual(breachesOf(books), []);
});
