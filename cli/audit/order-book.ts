/** Reads the books of the order service: orders with lines and history, and the keys that made them. */
import type { Books, Order } from './books.ts';
import { ageOf } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** What the order service knows. */
export type OrderBook = Pick<Books, 'orders' | 'keys'>;

/** All orders, and the keys of CreateOrder. */
export async function readOrderBook(snapshot: Snapshot): Promise<OrderBook> {
  const orders = await snapshot.rows<OrderRow>(ORDERS);
  const lines = Map.groupBy(await snapshot.rows<LineRow>(LINES), (row) => row.order_id);
  const history = Map.groupBy(await snapshot.rows<HistoryRow>(HISTORY), (row) => row.order_id);
  const keys = await snapshot.rows<KeyRow>(KEYS);
  return {
    orders: orders.map((row) => ({
      ...toOrder(row),
      lines: (lines.get(row.order_id) ?? []).map(({ product_id, quantity, unit_price }) => ({
        productId: product_id,
        quantity: BigInt(quantity),
        unitPrice: unit_price === null ? undefined : BigInt(unit_price),
      })),
      history: (history.get(row.order_id) ?? []).map(({ sequence, state }) => ({ sequence, state })),
    })),
    keys: keys.map(({ caller, key, resource_id }) => ({ caller, key, orderId: resource_id })),
  };
}

const ORDERS = `
  select order_id, customer_id, state, currency_code, total, amount_refunded, payment_id, ending_state,
    ${ageOf('create_time')} as age, ${ageOf('update_time')} as unchanged
  from orders order by order_id`;

const LINES = `select order_id, product_id, quantity, unit_price from order_line order by order_id, position`;

const HISTORY = `select order_id, sequence, state from order_history order by order_id, sequence`;

const KEYS = `
  select caller, key, resource_id from idempotency_key
  where method = '/mercer.order.v1.OrderService/CreateOrder' order by caller, key`;

type OrderRow = {
  order_id: string;
  customer_id: string;
  state: string;
  currency_code: string | null;
  total: string | null;
  amount_refunded: string;
  payment_id: string;
  ending_state: string | null;
  age: number;
  unchanged: number;
};
type LineRow = { order_id: string; product_id: string; quantity: number; unit_price: string | null };
type HistoryRow = { order_id: string; sequence: number; state: string };
type KeyRow = { caller: string; key: string; resource_id: string };

function toOrder(row: OrderRow): Omit<Order, 'lines' | 'history'> {
  const { currency_code: currencyCode, total, age, unchanged } = row;
  return {
    orderId: row.order_id,
    customerId: row.customer_id,
    state: row.state,
    total: total === null || currencyCode === null ? undefined : { currencyCode, minorUnits: BigInt(total) },
    amountRefunded: BigInt(row.amount_refunded),
    paymentId: row.payment_id,
    ending: row.ending_state ?? undefined,
    age,
    unchanged,
  };
}
