/** The rows of reservations, by sets of orders; every function is part of the caller's transaction. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { PricedLine, Reservation } from './domain.ts';
import { lockShelf } from './stock-ledger.ts';

/** Writes the rows of orders that are not known yet, and answers which; waits for whoever is writing the same. */
export async function claim(
  tx: EntityManager,
  orderIds: readonly string[],
  state: Reservation['state'],
): Promise<Set<string>> {
  const rows = await tx.execute<{ order_id: string }[]>(
    `insert into reservation (order_id, state)
     select order_id, ? from unnest(array[?]::uuid[]) as claim (order_id) order by order_id
     on conflict do nothing returning order_id`,
    [state, orderIds],
  );
  return new Set(rows.map((row) => row.order_id));
}

/** Takes claims back, as if the orders had never asked. */
export async function unclaim(tx: EntityManager, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return;
  await tx.execute('delete from reservation where order_id = any (array[?]::uuid[])', [orderIds]);
}

/** Writes the lines of claimed orders, held for `ttl` ms of the database's clock; answers until when. */
export async function insertLines(
  tx: EntityManager,
  lines: readonly (PricedLine & { orderId: string })[],
  ttl: number,
): Promise<Date> {
  const [row] = await tx.execute<{ expire_ms: number }[]>(
    `with expiry as (
       select (statement_timestamp() + ? * interval '1 millisecond')::timestamptz(3) as time
     ), inserted as (
       insert into reservation_line
         (order_id, product_id, quantity, display_name, currency_code, unit_price, expire_time, held)
       select line.*, expiry.time, true
       from expiry, unnest(array[?]::uuid[], array[?]::text[], array[?]::integer[], array[?]::text[],
         array[?]::text[], array[?]::bigint[]) as line
     )
     select ${milliseconds('time')} as expire_ms from expiry`,
    [
      ttl,
      lines.map((line) => line.orderId),
      lines.map((line) => line.productId),
      lines.map((line) => line.quantity),
      lines.map((line) => line.displayName),
      lines.map((line) => line.currencyCode),
      lines.map((line) => line.unitPrice),
    ],
  );
  if (row === undefined) throw new Error('the database answered no expiry');
  return new Date(row.expire_ms);
}

/** Reservations locked together with the stock of all their products. */
export type LockedReservations = {
  /** Unknown orders are left out. */
  reservations: Reservation[];
  /** Units on the shelf by product. */
  available: ReadonlyMap<string, number>;
};

/**
 * Locks reservations in order of their ids, then stock in order of products, and reads both. What is
 * committed while this waits stays out: it was not locked with the others.
 */
export async function lockReservations(
  tx: EntityManager,
  orderIds: readonly string[],
): Promise<LockedReservations> {
  const rows = await tx.execute<{ order_id: string }[]>(
    'select order_id from reservation where order_id = any (array[?]::uuid[]) order by order_id for update',
    [orderIds],
  );
  const locked = rows.map((row) => row.order_id);
  const products = await tx.execute<{ product_id: string }[]>(
    `select distinct product_id from ${LINES_OF_ORDERS}`,
    [locked],
  );
  const shelf = await lockShelf(
    tx,
    products.map((row) => row.product_id),
  );
  const available = new Map([...shelf].map(([productId, offer]) => [productId, offer.available]));
  return { reservations: await readReservations(tx, locked), available };
}

/** Reads reservations in the order asked; unknown orders are left out. */
export async function readReservations(
  tx: EntityManager,
  orderIds: readonly string[],
): Promise<Reservation[]> {
  const rows = await tx.execute<ReservationRow[]>(
    `select reservation.order_id, state, product_id, quantity, display_name, currency_code, unit_price, held,
       ${milliseconds('expire_time')} as expire_ms
     from reservation left join ${LINES_OF_ORDERS} on line.order_id = reservation.order_id
     where reservation.order_id = any (array[?]::uuid[])`,
    [orderIds, orderIds],
  );
  const byOrder = Map.groupBy(rows, (row) => row.order_id);
  return orderIds.flatMap((orderId) => toReservation(orderId, byOrder.get(orderId) ?? []));
}

/** Moves reservations to a state in which they hold nothing; they and their stock must be locked. */
export async function settleReservations(
  tx: EntityManager,
  orderIds: readonly string[],
  state: 'COMMITTED' | 'RELEASED',
): Promise<void> {
  if (orderIds.length === 0) return;
  await tx.execute(
    `with settled as (
       update reservation set state = ? where order_id = any (array[?]::uuid[])
     )
     update reservation_line set held = false
     where ctid = any (array(select line_id from ${LINES_OF_ORDERS} where held))`,
    [state, orderIds, orderIds],
  );
}

type ReservationRow = { order_id: string; state: Reservation['state'] } & (LineRow | { product_id: null });

type LineRow = {
  product_id: string;
  quantity: number;
  display_name: string;
  currency_code: string;
  unit_price: string;
  held: boolean;
  expire_ms: number;
};

function toReservation(orderId: string, rows: readonly ReservationRow[]): Reservation[] {
  const [first] = rows;
  if (first === undefined) return [];
  const lines = rows.filter((row) => row.product_id !== null).map(toLine);
  return [{ orderId, state: first.state, lines }];
}

function toLine(row: LineRow): Reservation['lines'][number] {
  return {
    productId: row.product_id,
    quantity: row.quantity,
    displayName: row.display_name,
    currencyCode: row.currency_code,
    unitPrice: BigInt(row.unit_price),
    held: row.held,
    expireTime: new Date(row.expire_ms),
  };
}

/**
 * The lines of orders. They are looked up order by order (lateral, offset 0): a table that has grown since it
 * was last analyzed looks small to the planner, which would then read all of it for every set of orders.
 */
const LINES_OF_ORDERS = `(
  select line.* from unnest(array[?]::uuid[]) as asked (order_id) cross join lateral (
    select ctid as line_id, * from reservation_line where reservation_line.order_id = asked.order_id offset 0
  ) as line
) as line`;

/** A time as a number of ms, which crosses the driver exactly and independent of its time zone. */
function milliseconds(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`;
}
