/** The rules that one snapshot of the order database shows at every instant: totals, histories, keys. */
import type { Key, Order, OrderLine } from '../books.ts';
import { sum } from './amount.ts';
import { eachEntity, when } from './check.ts';
import type { Check } from './check.ts';

/** Keys are kept at least this long, in ms. */
const KEY_LIFETIME = 24 * 3_600_000;

/** States that may follow each state. */
const EDGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['PENDING']],
  ['PENDING', ['CONFIRMED', 'FAILED', 'CANCELLED']],
  ['CONFIRMED', ['CANCELLED', 'REFUNDED']],
]);

/** All of them. */
export const ORDER_CHECKS: readonly Check[] = [
  {
    id: 'order-total',
    says: 'an order costs the sum of its lines',
    look: ({ orders }) => eachEntity(orders, orderName, miscounted),
  },
  {
    id: 'order-refund',
    says: 'what went back is part of the total, and all of it makes REFUNDED',
    look: ({ orders }) => eachEntity(orders, orderName, misrefunded),
  },
  {
    id: 'order-history',
    says: 'history is contiguous, follows the graph and ends in the state',
    look: ({ orders }) => eachEntity(orders, orderName, misremembered),
  },
  {
    id: 'order-key',
    says: 'a key names one order of its caller, and an order has one key',
    look: ({ orders, keys }) => {
      const known = new Map(orders.map((order) => [order.orderId, order]));
      const used = Map.groupBy(keys, ({ orderId }) => orderId);
      const foundKeys = eachEntity(keys, keyName, (key) => misdirected(key, known.get(key.orderId)));
      const foundOrders = eachEntity(orders, orderName, (order) =>
        unkeyed(order, used.get(order.orderId) ?? []),
      );
      return {
        entities: foundKeys.entities,
        suspicions: [...foundKeys.suspicions, ...foundOrders.suspicions],
      };
    },
  },
];

function orderName({ orderId }: Order): string {
  return `order ${orderId}`;
}

function keyName({ key, caller }: Key): string {
  return `key ${JSON.stringify(key)} of ${caller}`;
}

function miscounted({ total, lines }: Order): string[] {
  const prices = lines.flatMap(({ quantity, unitPrice }) =>
    unitPrice === undefined ? [] : quantity * unitPrice,
  );
  const priced = prices.length === lines.length;
  return [
    ...when(lines.length === 0, 'no lines'),
    ...when(new Set(lines.map(({ productId }) => productId)).size < lines.length, 'a product twice'),
    ...lines.flatMap(wrongLine),
    ...when(total === undefined && prices.length > 0, 'priced, but without a total'),
    ...when(total !== undefined && !priced, 'a total, but a line without a price'),
    ...when(
      total !== undefined && priced && total.minorUnits !== sum(prices),
      `total ${total?.minorUnits}, but the lines cost ${sum(prices)}`,
    ),
  ];
}

function wrongLine({ productId, quantity, unitPrice = 1n }: OrderLine): string[] {
  return [
    ...when(quantity < 1n, `${quantity} of ${productId}`),
    ...when(unitPrice < 1n, `${productId} at a price of ${unitPrice}`),
  ];
}

function misrefunded({ state, total, amountRefunded }: Order): string[] {
  const most = total?.minorUnits ?? 0n;
  return [
    ...when(amountRefunded < 0n || amountRefunded > most, `${amountRefunded} of ${most} refunded`),
    ...when(
      state === 'REFUNDED' && amountRefunded !== most,
      `REFUNDED, but only ${amountRefunded} of ${most} went back`,
    ),
    ...when(
      state === 'CONFIRMED' && total !== undefined && amountRefunded === most,
      'CONFIRMED, but all of it was refunded',
    ),
  ];
}

function misremembered({ state, history }: Order): string[] {
  const states = history.map((row) => row.state);
  return [
    ...history.flatMap(({ sequence }, index) =>
      when(sequence !== index + 1, `row ${index + 1} of its history has number ${sequence}`),
    ),
    ...states.flatMap((to, index) => {
      const from = states[index - 1] ?? '';
      return when(
        EDGES.get(from)?.includes(to) !== true,
        `went from ${from === '' ? 'nothing' : from} to ${to}`,
      );
    }),
    ...when(states.at(-1) !== state, `${state}, but its history ends in ${states.at(-1) ?? 'nothing'}`),
  ];
}

function misdirected({ caller, orderId }: Key, order: Order | undefined): string[] {
  if (order === undefined) return [`names order ${orderId}, which does not exist`];
  return when(
    !caller.endsWith(` ${order.customerId}`),
    `names order ${orderId}, which belongs to ${order.customerId}`,
  );
}

/** Of failed orders some gave their key back: those whose request was at fault. */
function unkeyed({ state, age }: Order, keys: readonly Key[]): string[] {
  return [
    ...when(keys.length > 1, `made by ${keys.length} keys`),
    ...when(
      keys.length === 0 && state !== 'FAILED' && age < KEY_LIFETIME,
      'its key is gone: the request could be repeated',
    ),
  ];
}
