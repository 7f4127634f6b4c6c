/** Stock rows and the append-only ledger behind them; every function is part of the caller's transaction. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { movement } from './domain.ts';
import type { Movement, Shelf } from './domain.ts';

/** Locks the stock of products, in product order so that two orders never wait for each other, and reads it. */
export async function lockShelf(tx: EntityManager, productIds: readonly string[]): Promise<Shelf> {
  const rows = await tx.execute<ShelfRow[]>(
    `select stock.product_id, stock.available, product.display_name, product.state, product.currency_code,
       product.price_minor
     from stock join product using (product_id)
     where stock.product_id = any (array[?]::text[])
     order by stock.product_id for update of stock`,
    [productIds],
  );
  return new Map(
    rows.map((row) => [
      row.product_id,
      {
        displayName: row.display_name,
        archived: row.state === 'ARCHIVED',
        currencyCode: row.currency_code,
        unitPrice: BigInt(row.price_minor),
        available: row.available,
      },
    ]),
  );
}

/**
 * Brings reservations that have run out back to the shelf, by the database's clock, and answers the shelf
 * as it is then. The products must be locked; the orders in `except` keep what they hold.
 */
export async function reclaimExpired(
  tx: EntityManager,
  productIds: readonly string[],
  except: readonly string[] = [],
): Promise<Shelf> {
  const expired = await tx.execute<ExpiredRow[]>(
    `update reservation_line set held = false
     where held and expire_time <= statement_timestamp()
       and product_id = any (array[?]::text[]) and order_id <> all (array[?]::uuid[])
     returning order_id, product_id, quantity`,
    [productIds, except],
  );
  await post(
    tx,
    expired.map((row) =>
      movement('EXPIRE', { productId: row.product_id, quantity: row.quantity }, row.order_id),
    ),
  );
  return lockShelf(tx, productIds);
}

/** Writes movements to the ledger and to the stock rows, which must be locked, in one statement. */
export async function post(tx: EntityManager, movements: readonly Movement[], reason = ''): Promise<void> {
  if (movements.length === 0) return;
  await tx.execute(
    `with movement as (
       select * from unnest(array[?]::text[], array[?]::uuid[], array[?]::text[],
         array[?]::integer[], array[?]::integer[], array[?]::integer[])
         as movement (product_id, order_id, kind, available, reserved, sold)
     ), total as (
       select product_id, sum(available) as available, sum(reserved) as reserved, sum(sold) as sold
       from movement group by product_id
     ), moved as (
       update stock set
         available = stock.available + total.available,
         reserved = stock.reserved + total.reserved,
         sold = stock.sold + total.sold,
         delivered = stock.delivered + total.available + total.reserved + total.sold
       from total where stock.product_id = total.product_id
     )
     insert into stock_ledger (product_id, order_id, kind, available, reserved, sold, reason)
     select product_id, order_id, kind, available, reserved, sold, ? from movement`,
    [
      movements.map((each) => each.productId),
      movements.map((each) => each.orderId),
      movements.map((each) => each.kind),
      movements.map((each) => each.available),
      movements.map((each) => each.reserved),
      movements.map((each) => each.sold),
      reason,
    ],
  );
}

type ShelfRow = {
  product_id: string;
  available: number;
  display_name: string;
  state: string;
  currency_code: string;
  price_minor: string;
};

type ExpiredRow = { order_id: string; product_id: string; quantity: number };
