/** Reads the books of the product service: stock, its ledger, reservations. */
import type { Books, Counts, Reservation, ReservedLine } from './books.ts';
import { ageOf } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** What the product service knows. */
export type ProductBook = Pick<Books, 'shelves' | 'reservations' | 'movements'>;

/** Everything that the checks need of it, stock that nobody touched included. */
export async function readProductBook(snapshot: Snapshot): Promise<ProductBook> {
  const shelves = await snapshot.rows<ShelfRow>(SHELVES);
  const reservations = await snapshot.rows<ReservationRow>(RESERVATIONS);
  const lines = Map.groupBy(await snapshot.rows<LineRow>(LINES), (row) => row.order_id);
  const movements = await snapshot.rows<MovementRow>(MOVEMENTS);
  return {
    shelves: shelves.map(({ product_id, row, posted }) => ({
      productId: product_id,
      row: toCounts(row),
      posted: toCounts(posted),
    })),
    reservations: reservations.map(({ order_id, state, unchanged }) => ({
      orderId: order_id,
      state,
      lines: (lines.get(order_id) ?? []).map(toLine),
      unchanged,
    })),
    movements: movements.map(({ order_id, product_id, reserved, sold, unchanged }) => ({
      orderId: order_id,
      productId: product_id,
      reserved: BigInt(reserved),
      sold: BigInt(sold),
      unchanged,
    })),
  };
}

/** Counts cross the driver as texts, because JSON's numbers end at 2^53. */
const COUNTS = 'array[available, reserved, sold, delivered]::text[]';

const SHELVES = `
  select product_id, "row", posted
  from (select product_id, ${COUNTS} as "row" from stock) as stock
  full join (
    select product_id, ${COUNTS} as posted
    from (
      select product_id, sum(available) as available, sum(reserved) as reserved, sum(sold) as sold,
        coalesce(sum(available + reserved + sold) filter (where kind = 'DELIVER'), 0) as delivered
      from stock_ledger group by product_id
    ) as summed
  ) as ledger using (product_id)
  order by product_id`;

const RESERVATIONS = `
  select order_id, state, ${ageOf('create_time')} as unchanged from reservation order by order_id`;

const LINES = `
  select order_id, product_id, quantity, currency_code, unit_price, held
  from reservation_line order by order_id, product_id`;

const MOVEMENTS = `
  select order_id, product_id, sum(reserved) as reserved, sum(sold) as sold,
    ${ageOf('max(create_time)')} as unchanged
  from stock_ledger where order_id is not null group by order_id, product_id`;

type CountsRow = [available: string, reserved: string, sold: string, delivered: string];
type ShelfRow = { product_id: string; row: CountsRow | null; posted: CountsRow | null };
type ReservationRow = { order_id: string; state: Reservation['state']; unchanged: number };
type LineRow = {
  order_id: string;
  product_id: string;
  quantity: number;
  currency_code: string;
  unit_price: string;
  held: boolean;
};
type MovementRow = {
  order_id: string;
  product_id: string;
  reserved: string;
  sold: string;
  unchanged: number;
};

function toCounts(row: CountsRow | null): Counts | undefined {
  if (row === null) return undefined;
  const [available, reserved, sold, delivered] = row;
  return {
    available: BigInt(available),
    reserved: BigInt(reserved),
    sold: BigInt(sold),
    delivered: BigInt(delivered),
  };
}

function toLine({ product_id, quantity, currency_code, unit_price, held }: LineRow): ReservedLine {
  const price = { currencyCode: currency_code, minorUnits: BigInt(unit_price) };
  return { productId: product_id, quantity: BigInt(quantity), price, held };
}
