/** Which products changed in price, details or stock since a moment. */
import type { EntityManager } from '@mikro-orm/postgresql';

/**
 * A moment of the database: which transactions it had seen, and its clock. Serial numbers or times would not
 * do, for what was written earlier may be committed later.
 */
export type Moment = { snapshot: string; time: string };

/** The present moment. */
export async function presentMoment(em: EntityManager): Promise<Moment> {
  const [row] = await em.execute<Moment[]>(`select ${SNAPSHOT}, ${TIME} as time`);
  if (row === undefined) throw new Error('the database answered no snapshot');
  return row;
}

/**
 * The products that transactions changed which were not visible at `since` and are by now, and those whose
 * reservations ran out meanwhile; no change is left out between two calls. Some may look as they did before.
 */
export async function changedProducts(
  em: EntityManager,
  { snapshot, time }: Moment,
): Promise<{ productIds: string[]; now: Moment }> {
  const [row] = await em.execute<(Moment & { product_ids: string[] })[]>(
    `select ${SNAPSHOT}, case when ${DUE} then ${TIME} else ? end as time, array(
       select product_id from product where ${isNew('changed_by')}
       union select product_id from stock_ledger where ${isNew('written_by')}
       union select product_id from reservation_line
         where ${DUE} and held and expire_time > ?::timestamptz and expire_time <= statement_timestamp()
     ) as product_ids`,
    [time, time, snapshot, snapshot, snapshot, snapshot, time, time],
  );
  if (row === undefined) throw new Error('the database answered no snapshot');
  return { productIds: row.product_ids, now: { snapshot: row.snapshot, time: row.time } };
}

const SNAPSHOT = 'pg_current_snapshot()::text as snapshot';
const TIME = 'statement_timestamp()::text';
/** What ran out is looked for once a second: it takes a search for each product that somebody holds. */
const DUE = `statement_timestamp() >= ?::timestamptz + interval '1 second'`;

/** Written by a transaction that a snapshot did not see. The bounds let an index find it. */
function isNew(column: string): string {
  return `${column} >= pg_snapshot_xmin(?::pg_snapshot) and ${column} < pg_snapshot_xmax(pg_current_snapshot())
    and not pg_visible_in_snapshot(${column}, ?::pg_snapshot)`;
}
