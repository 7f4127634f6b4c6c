/** Which payments are unfinished, and when each is to be looked at, in PostgreSQL. */
import { fromDatabaseError } from '#fabric/data/database-error.ts';
import type { Database } from '#fabric/data/database.ts';

/** An unfinished payment, and how often it was looked at since something last happened to it. */
export type Unfinished = { orderId: string; look: number };

/** Unfinished payments; failures are StatusErrors. */
export type RecoveryQueue = {
  /** Takes up to `limit` that are due; nobody else gets them within `lease` ms. */
  take(limit: number, lease: number): Promise<Unfinished[]>;
  /** Puts one back for `pause` ms, for good when undefined; not when it was finished, or told of, meanwhile. */
  putBack(unfinished: Unfinished, pause: number | undefined): Promise<void>;
  /** How many were looked at 6 times in vain; those that the acquirer has to decide do not count. */
  stuck(): Promise<number>;
  /** Remembers an event's id for 30 days, and makes its order's payment due; false for an id that was known. */
  takeEvent(event: { id: string; orderId: string | undefined }): Promise<boolean>;
};

/** The queue in the payment service's database. */
export function recoveryQueue(database: Database): RecoveryQueue {
  const run = async <R>(statement: string, values: unknown[] = []): Promise<R[]> => {
    try {
      return await database.em().execute<R[]>(statement, values);
    } catch (error) {
      throw fromDatabaseError(error);
    }
  };
  return {
    take: (limit, lease) => run<Unfinished>(TAKE, [limit, lease]),
    async putBack({ orderId, look }, pause) {
      await run(PUT_BACK, [pause ?? null, orderId, look]);
    },
    async stuck() {
      const [row] = await run<{ stuck: number }>(STUCK);
      return row?.stuck ?? 0;
    },
    async takeEvent({ id, orderId }) {
      return (await run(TAKE_EVENT, [id, orderId ?? null])).length > 0;
    },
  };
}

const TAKE = `with due as (
    select payment_id from payment where recover_at <= now()
    order by recover_at limit ? for update skip locked
  )
  update payment set recover_at = now() + ? * interval '1 millisecond', recoveries = recoveries + 1
  from due where payment.payment_id = due.payment_id
  returning order_id as "orderId", recoveries as look`;

const PUT_BACK = `update payment set recover_at = now() + ?::bigint * interval '1 millisecond'
  where order_id = ? and recoveries = ? and recover_at is not null`;

const STUCK = `select count(*)::integer as stuck from payment
  where recover_at is not null and recoveries >= 6 and state <> 'BARRED'
    and (undone or state = 'SUCCEEDED' or transaction_id = '')`;

const TAKE_EVENT = `with taken as (
    insert into acquirer_event (event_id) values (?) on conflict do nothing returning event_id
  ), hinted as (
    update payment set recover_at = now(), recoveries = 0 from taken
    where order_id = ? and state in ('PENDING', 'UNDER_REVIEW', 'BARRED')
  ), forgotten as (
    delete from acquirer_event where event_id in (
      select event_id from acquirer_event where receive_time < now() - interval '30 days'
      order by receive_time limit 10
    )
  )
  select event_id from taken`;
