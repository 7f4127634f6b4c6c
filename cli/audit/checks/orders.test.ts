/** Tries the rules of orders by planted breaches. */
import { ORDER_CHECKS } from './orders.ts';
import { order, tryPlants } from './planted-breach.fixture.ts';

tryPlants(ORDER_CHECKS, [
  {
    plant: 'a total that floats',
    into: (books) => {
      const confirmed = order(books, 'confirmed');
      if (confirmed.total !== undefined) confirmed.total = { ...confirmed.total, minorUnits: 301n };
    },
    flagged: ['order-total', 'order-payment', 'money-net'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'an order without lines',
    into: (books) => {
      order(books, 'begun').lines = [];
    },
    flagged: ['order-total'],
    entity: 'order BEGUN',
  },
  {
    plant: 'more refunded than paid',
    into: (books) => {
      order(books, 'confirmed').amountRefunded = 1_000_000n;
    },
    flagged: ['order-refund', 'money-net'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'REFUNDED with money left',
    into: (books) => {
      order(books, 'refunded').amountRefunded -= 1n;
    },
    flagged: ['order-refund'],
    entity: 'order REFUNDED',
  },
  {
    plant: 'a transition from the grave',
    into: (books) => {
      const declined = order(books, 'declined');
      declined.history.push({ sequence: 3, state: 'FAILED' });
    },
    flagged: ['order-history'],
    entity: 'order DECLINED',
  },
  {
    plant: 'a row that is missing from a history',
    into: (books) => {
      order(books, 'cancelled').history.splice(1, 1);
    },
    flagged: ['order-history'],
    entity: 'order CANCELLED',
  },
  {
    plant: 'a state without its transition',
    into: (books) => {
      order(books, 'confirmed').history.pop();
    },
    flagged: ['order-history'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'a key that names no order',
    into: (books) => {
      books.keys.push({ caller: 'https://issuer customer-0', key: 'lost', orderId: 'no-such-order' });
    },
    flagged: ['order-key'],
    entity: 'key "lost" of https://issuer customer-0',
  },
  {
    plant: "a key that names another customer's order",
    into: (books) => {
      const [key] = books.keys;
      if (key !== undefined) key.caller = 'https://issuer mallory';
    },
    flagged: ['order-key'],
    entity: 'key "key-0" of https://issuer mallory',
  },
  {
    plant: 'an accepted order that burnt no key',
    into: (books) => {
      const { orderId } = order(books, 'confirmed');
      books.keys = books.keys.filter((key) => key.orderId !== orderId);
    },
    flagged: ['order-key'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'two keys of one order',
    into: (books) => {
      const [key] = books.keys;
      if (key !== undefined) books.keys.push({ ...key, key: 'another' });
    },
    flagged: ['order-key'],
    entity: 'order BEGUN',
  },
]);
