/** Refunds that were begun, in PostgreSQL: each is remembered from before the payment service is asked until its answer is recorded. */
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Return } from './charges.ts';
import type { Order } from './domain.ts';

/** What is remembered of refunds. */
export type RefundStore = {
  /** Remembers a refund, once by its key; false when the order's money cannot be returned (any more). */
  beginRefund(refund: Return): Promise<boolean>;
  /**
   * Records how much money of an order went back by now, in minor units, never less than was recorded before,
   * forgets the refund that did it, and answers the order as it is then. All of a confirmed order's money
   * makes it REFUNDED.
   */
  recordRefund(refunded: Refunded, note: string): Promise<Order>;
  /** Forgets a refund that was refused. */
  dropRefund(refund: Return): Promise<void>;
  /** Refunds that nobody finished for 10 s; each goes to one caller. */
  takeRefundsDue(limit: number): Promise<Return[]>;
};

/** Money that went back, and the key of the refund if it was begun here. */
export type Refunded = { orderId: string; amountRefunded: bigint; requestId?: string };

/** Longer than the customer's own call asks the payment service (charges.ts); the next attempt comes after it. */
const ATTEMPT = `interval '10 seconds'`;
/** Money of an order goes back for its own sake while nothing undoes the order. */
const REFUNDABLE = `((state = 'CONFIRMED' and ending_state is null) or state = 'REFUNDED')`;

/** A key that comes again gets its head start again. */
export async function beginRefund(em: EntityManager, refund: Return): Promise<boolean> {
  const { orderId, requestId, amount, reason } = refund;
  const begun = await em.execute<unknown[]>(
    `insert into order_refund (order_id, request_id, currency_code, amount, reason, next_attempt_at)
     select order_id, ?, ?, ?, ?, now() + ${ATTEMPT} from orders where order_id = ? and ${REFUNDABLE}
     on conflict (order_id, request_id) do update set next_attempt_at = excluded.next_attempt_at
     returning order_id`,
    [requestId, amount?.currencyCode ?? null, amount?.minorUnits ?? null, reason, orderId],
  );
  return begun.length === 1;
}

/** Guarded by no fence: money that went back did so whoever has the order in hand. */
export async function recordRefund(
  em: EntityManager,
  { orderId, amountRefunded: returned, requestId = '' }: Refunded,
  note: string,
): Promise<void> {
  const all = `state = 'CONFIRMED' and ending_state is null and greatest(amount_refunded, ?) = total`;
  await em.execute(
    `with settled as (
       update orders set amount_refunded = greatest(amount_refunded, ?),
         state = case when ${all} then 'REFUNDED' else state end,
         revision = case when ${all} then revision + 1 else revision end,
         update_time = case when amount_refunded < ? then now() else update_time end
       where order_id = ? returning order_id, revision, state, update_time
     ), forgotten as (
       delete from order_refund where order_id = ? and request_id = ?
     )
     insert into order_history (order_id, sequence, state, time, note)
     select order_id, revision, state, update_time, ? from settled where state = 'REFUNDED'
     on conflict do nothing`,
    [returned, returned, returned, returned, orderId, orderId, requestId, note],
  );
}

export async function dropRefund(em: EntityManager, { orderId, requestId }: Return): Promise<void> {
  await em.execute('delete from order_refund where order_id = ? and request_id = ?', [orderId, requestId]);
}

export async function takeRefundsDue(em: EntityManager, limit: number): Promise<Return[]> {
  const due = await em.execute<RefundRow[]>(
    `with due as (
       select order_id, request_id from order_refund where next_attempt_at <= now()
       order by next_attempt_at limit ? for update skip locked
     )
     update order_refund as refund set next_attempt_at = now() + ${ATTEMPT}
     from due where refund.order_id = due.order_id and refund.request_id = due.request_id
     returning refund.order_id, refund.request_id, currency_code, amount::text, reason`,
    [limit],
  );
  return due.map(toRefund);
}

type RefundRow = {
  order_id: string;
  request_id: string;
  currency_code: string | null;
  amount: string | null;
  reason: string;
};

function toRefund(row: RefundRow): Return {
  const { order_id: orderId, request_id: requestId, currency_code: currencyCode, amount, reason } = row;
  const all = { orderId, requestId, reason };
  if (currencyCode === null || amount === null) return all;
  return { ...all, amount: { currencyCode, minorUnits: BigInt(amount) } };
}
