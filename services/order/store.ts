/** Orders in PostgreSQL: each change of an order is one transaction, guarded by the state and fence it was read with. */
import { status } from '@grpc/grpc-js';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Database } from '#fabric/data/database.ts';
import { fromDatabaseError } from '#fabric/data/database-error.ts';
import { claimKey, freeKeysOf } from '#fabric/data/idempotency.ts';
import type { Claim, KeyedRequest } from '#fabric/data/idempotency.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { OrderServiceService } from '#gen/mercer/order/v1/order_service.ts';
import { enter, freesKey } from './domain.ts';
import type { Ending, Item, Money, Order, State } from './domain.ts';
import { OrderEntity } from './entities.ts';
import { toOrder } from './order-record.ts';
import type { PricedLine } from './pricing.ts';
import { beginRefund, dropRefund, recordRefund, takeRefundsDue } from './refund-store.ts';
import type { RefundStore } from './refund-store.ts';

/** An order to be placed. */
export type NewOrder = { orderId: string; customerId: string; items: readonly Item[] };

/** The order begun, or the claim of whoever used the key before. */
export type Begun = { kind: 'begun'; order: Order } | Extract<Claim, { kind: 'repeated' }>;

/** Which orders to list; a missing condition holds for all. */
export type OrderFilter = {
  customerId?: string | undefined;
  state?: State | undefined;
  /** Only what comes after this order in the list. */
  after?: OrderPosition | undefined;
  limit: number;
};

/** What the lines of an order cost. */
export type Prices = { lines: readonly PricedLine[]; total: Money };

/** Where an order stands in a list, newest first. */
export type OrderPosition = { createTime: Date; orderId: string };

/** How an order that is let go goes on. */
export type Rest = {
  /** Whether the order itself is at fault: so many such attempts park it. */
  failed: boolean;
  /** For how long at least recovery leaves it to its customer, in ms. */
  grace: number;
};

/** An order that recovery took over, and how often it did so before and now without getting it to its end. */
export type Taken = { order: Order; attempts: number };

/** How many orders are unfinished, and how many of them recovery has given up. */
export type Backlog = { unfinished: number; parked: number };

/**
 * Every write takes the order as it was read and answers it as it is now. One whose state or fence changed
 * meanwhile is ABORTED with reason ORDER_SUPERSEDED: another call has the order in hand.
 */
export type OrderStore = RefundStore & {
  /** Records a PENDING order together with its key; none when the key was used before. */
  begin(order: NewOrder, request: KeyedRequest): Promise<Begun>;
  /** Takes an unfinished order whose lease ran out; undefined while another call holds it, or nothing is open. */
  takeOver(orderId: string): Promise<Order | undefined>;
  /** Records lines and total, before anything is charged. */
  recordPrices(order: Order, prices: Prices): Promise<Order>;
  /** Takes over unfinished orders that are due and that nobody has in hand; each goes to one caller. */
  takeOverDue(limit: number): Promise<Taken[]>;
  /** Keeps orders for another lease, except those that were let go or taken over meanwhile. */
  renew(orders: readonly Order[]): Promise<void>;
  /** Lets the order go, with the payment it waits for if there is one: whoever comes next may take it. */
  rest(order: Order, rest: Rest): Promise<Order>;
  confirm(order: Order): Promise<Order>;
  /** Decides that the order is undone. From here on nobody can confirm it, and whoever had it in hand lost it. */
  decide(order: Order, ending: Ending): Promise<Order>;
  /** Enters the state that was decided, once everything is undone; a request at fault gets its key back. */
  end(order: Order): Promise<Order>;
  find(orderId: string): Promise<Order | undefined>;
  backlog(): Promise<Backlog>;
  /** Newest first. */
  list(filter: OrderFilter): Promise<Order[]>;
};

/** How long an order stays with the call that drives it unless it writes again: after a crash, others wait no longer. */
const LEASE = `interval '5 seconds'`;
/** When recovery may take an order that its driver has just written: its customer comes first for 5 s. */
const UNATTENDED = `now() + ${LEASE} + interval '5 seconds'`;
/** Recovery gives an order up after so many attempts that failed. */
export const PARKED_AFTER = 20;
/** Attempts after which pauses between them grow no longer. */
const SLOWEST = 6;
/** 1 s after the first attempt, then twice the last, 20 s at most: what is well again is finished within 30 s. */
const PAUSE = `interval '1 second' * least(20, power(2, greatest(0, least(attempts, ${SLOWEST}) - 1)))`;
const UNFINISHED = `(state = 'PENDING' or state <> ending_state)`;
const GUARD = 'where order_id = ? and state = ? and fence = ?';
/** A time as a number of ms, which crosses the driver exactly and independent of its time zone. */
const MS = '(extract(epoch from update_time) * 1000)::float8 as ms';

/** The method whose keys name orders. */
export const CREATE_ORDER = OrderServiceService.createOrder.path;

/** Orders in the service's own database. */
export function orderStore(database: Database): OrderStore {
  async function run<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await work(database.em());
    } catch (error) {
      throw fromDatabaseError(error);
    }
  }
  const inTransaction = <T>(work: (tx: EntityManager) => Promise<T>): Promise<T> =>
    run((em) => em.transactional(work));
  return {
    begin: (order, request) => inTransaction((tx) => begin(tx, order, request)),
    takeOver: (orderId) => run((em) => takeOver(em, orderId)),
    recordPrices: (order, prices) => run((em) => recordPrices(em, order, prices)),
    takeOverDue: (limit) => run((em) => takeOverDue(em, limit)),
    renew: (orders) => run((em) => renew(em, orders)),
    rest: (order, how) => run((em) => rest(em, order, how)),
    confirm: (order) => run((em) => confirm(em, order)),
    decide: (order, ending) => run((em) => decide(em, order, ending)),
    end: (order) => inTransaction((tx) => end(tx, order)),
    beginRefund: (refund) => run((em) => beginRefund(em, refund)),
    recordRefund: (refunded, note) =>
      run(async (em) => {
        await recordRefund(em, refunded, note);
        return found(em, refunded.orderId);
      }),
    dropRefund: (refund) => run((em) => dropRefund(em, refund)),
    takeRefundsDue: (limit) => run((em) => takeRefundsDue(em, limit)),
    find: (orderId) => run((em) => find(em, orderId)),
    backlog: () => run(backlog),
    list: (filter) => run((em) => list(em, filter)),
  };
}

async function begin(tx: EntityManager, order: NewOrder, request: KeyedRequest): Promise<Begun> {
  const claim = await claimKey(tx, request, order.orderId);
  return claim.kind === 'first' ? { kind: 'begun', order: await insert(tx, order) } : claim;
}

async function insert(tx: EntityManager, { orderId, customerId, items }: NewOrder): Promise<Order> {
  const createTime = timeOf(
    await tx.execute<Moment[]>(
      `with placed as (
         insert into orders (order_id, customer_id, lease_until, next_attempt_at)
         values (?, ?, now() + ${LEASE}, ${UNATTENDED})
         returning order_id, state, update_time
       ), lines as (
         insert into order_line (order_id, product_id, quantity, position)
         select placed.order_id, line.*
         from placed, unnest(array[?]::text[], array[?]::integer[]) with ordinality as line
       ), entered as (
         insert into order_history (order_id, sequence, state, time)
         select order_id, 1, state, update_time from placed
       )
       select ${MS} from placed`,
      [orderId, customerId, items.map((item) => item.productId), items.map((item) => item.quantity)],
    ),
  );
  if (createTime === undefined) throw new Error('the database answered no creation time');
  return {
    orderId,
    customerId,
    lines: items.map((item) => ({ ...item, displayName: '', unitPrice: undefined })),
    total: undefined,
    amountRefunded: 0n,
    state: 'PENDING',
    ending: undefined,
    paymentId: '',
    createTime,
    updateTime: createTime,
    history: [{ state: 'PENDING', time: createTime, note: '' }],
    fence: 1,
  };
}

async function takeOver(em: EntityManager, orderId: string): Promise<Order | undefined> {
  const taken = await em.execute<unknown[]>(
    `update orders set fence = fence + 1, lease_until = now() + ${LEASE}, next_attempt_at = ${UNATTENDED}
     where order_id = ? and lease_until <= now() and ${UNFINISHED}
     returning order_id`,
    [orderId],
  );
  return taken.length === 1 ? find(em, orderId) : undefined;
}

/** Counts the attempt before it is made: an order that crashes its process is parked all the same. */
async function takeOverDue(em: EntityManager, limit: number): Promise<Taken[]> {
  const taken = await em.execute<{ order_id: string; attempts: number }[]>(
    `with due as (
       select order_id from orders
       where ${UNFINISHED} and attempts < ${PARKED_AFTER} and next_attempt_at <= now() and lease_until <= now()
       order by next_attempt_at limit ? for update skip locked
     )
     update orders set fence = fence + 1, attempts = attempts + 1,
       lease_until = now() + ${LEASE}, next_attempt_at = now() + ${LEASE}
     from due where orders.order_id = due.order_id
     returning orders.order_id, attempts`,
    [limit],
  );
  if (taken.length === 0) return [];
  const attempts = new Map(taken.map((row) => [row.order_id, row.attempts]));
  const records = await em.find(OrderEntity, { orderId: { $in: [...attempts.keys()] } }, WHOLE);
  return records.map((record) => ({ order: toOrder(record), attempts: attempts.get(record.orderId) ?? 0 }));
}

async function renew(em: EntityManager, orders: readonly Order[]): Promise<void> {
  await em.execute(
    `update orders set lease_until = now() + ${LEASE}, next_attempt_at = ${UNATTENDED}
     from unnest(array[?]::uuid[], array[?]::integer[]) as held (id, fence_held)
     where order_id = id and fence = fence_held and lease_until > now() and ${UNFINISHED}`,
    [orders.map(({ orderId }) => orderId), orders.map(({ fence }) => fence)],
  );
}

async function recordPrices(em: EntityManager, order: Order, { lines, total }: Prices): Promise<Order> {
  const rows = await em.execute<Moment[]>(
    `with priced as (
       update orders set currency_code = ?, total = ?, lease_until = now() + ${LEASE}, update_time = now()
       ${GUARD} returning order_id, update_time
     ), named as (
       update order_line as line set display_name = price.display_name, unit_price = price.unit_price
       from priced, unnest(array[?]::text[], array[?]::text[], array[?]::bigint[])
         as price (product_id, display_name, unit_price)
       where line.order_id = priced.order_id and line.product_id = price.product_id
     )
     select ${MS} from priced`,
    [
      total.currencyCode,
      total.minorUnits,
      ...guardOf(order),
      lines.map((line) => line.productId),
      lines.map((line) => line.displayName),
      lines.map((line) => line.unitPrice.minorUnits),
    ],
  );
  return { ...order, lines, total, updateTime: written(order, rows) };
}

async function rest(em: EntityManager, order: Order, { failed, grace }: Rest): Promise<Order> {
  const rows = await em.execute<Moment[]>(
    `update orders set lease_until = now(), payment_id = ?,
       attempts = case when ? then attempts else least(attempts, ${SLOWEST}) end,
       next_attempt_at = now() + greatest(${PAUSE}, ? * interval '1 millisecond'),
       update_time = case when payment_id = ? then update_time else now() end ${GUARD} returning ${MS}`,
    [order.paymentId, failed, grace, order.paymentId, ...guardOf(order)],
  );
  return { ...order, updateTime: written(order, rows) };
}

function confirm(em: EntityManager, order: Order): Promise<Order> {
  const { paymentId } = order;
  return transition(em, order, {
    state: 'CONFIRMED',
    set: 'payment_id = ?, attempts = 0',
    values: [paymentId],
  });
}

/** Read again: what was priced since the order was read may have been charged, and has to be returned. */
async function decide(em: EntityManager, order: Order, ending: Ending): Promise<Order> {
  const { state, reason, message, metadata } = ending;
  const rows = await em.execute<Moment[]>(
    `update orders set ending_state = ?, ending_reason = ?, ending_message = ?, ending_metadata = ?::jsonb,
       payment_id = coalesce(nullif(?, ''), payment_id),
       fence = fence + 1, lease_until = now() + ${LEASE}, update_time = now()
     ${GUARD} and ending_state is null returning ${MS}`,
    [state, reason, message, JSON.stringify(metadata), order.paymentId, ...guardOf(order)],
  );
  written(order, rows);
  const decided = await find(em, order.orderId);
  if (decided?.fence !== order.fence + 1) throw superseded(order);
  return decided;
}

async function end(tx: EntityManager, order: Order): Promise<Order> {
  const { ending, amountRefunded, paymentId } = order;
  if (ending === undefined) throw new Error('an order ends only as it was decided');
  const ended = await transition(tx, order, {
    state: ending.state,
    note: ending.message,
    set: 'amount_refunded = greatest(amount_refunded, ?), payment_id = ?',
    values: [amountRefunded, paymentId],
  });
  if (freesKey(ending)) await freeKeysOf(tx, CREATE_ORDER, order.orderId);
  return ended;
}

/** A change of state, with what else changes in the same statement. */
type Change = { state: State; note?: string; set: string; values: unknown[] };

async function transition(em: EntityManager, order: Order, change: Change): Promise<Order> {
  const { state, note = '', set, values } = change;
  const rows = await em.execute<Moment[]>(
    `with entered as (
       update orders set state = ?, ${set}, revision = revision + 1, update_time = now()
       ${GUARD} returning order_id, revision, state, update_time
     ), recorded as (
       insert into order_history (order_id, sequence, state, time, note)
       select order_id, revision, state, update_time, ? from entered
     )
     select ${MS} from entered`,
    [state, ...values, ...guardOf(order), note],
  );
  return enter(order, { state, time: written(order, rows), note });
}

async function find(em: EntityManager, orderId: string): Promise<Order | undefined> {
  if (!UUID.test(orderId)) return undefined;
  const record = await em.findOne(OrderEntity, { orderId }, WHOLE);
  return record === null ? undefined : toOrder(record);
}

async function found(em: EntityManager, orderId: string): Promise<Order> {
  const order = await find(em, orderId);
  if (order === undefined) throw new Error('an order that was written is there');
  return order;
}

async function backlog(em: EntityManager): Promise<Backlog> {
  const [row] = await em.execute<Backlog[]>(
    `select count(*)::integer as unfinished,
       (count(*) filter (where attempts >= ${PARKED_AFTER}))::integer as parked
     from orders where ${UNFINISHED}`,
  );
  return row ?? { unfinished: 0, parked: 0 };
}

async function list(em: EntityManager, filter: OrderFilter): Promise<Order[]> {
  const { customerId, state, after, limit } = filter;
  const records = await em.find(
    OrderEntity,
    {
      ...(customerId === undefined ? {} : { customerId }),
      ...(state === undefined ? {} : { state }),
      ...(after === undefined ? {} : { $or: behind(after) }),
    },
    { orderBy: { createTime: 'desc', orderId: 'desc' }, limit, populate: ['lines', 'history'] },
  );
  return records.map(toOrder);
}

function behind({ createTime, orderId }: OrderPosition): object[] {
  return [{ createTime: { $lt: createTime } }, { createTime, orderId: { $lt: orderId } }];
}

/** An order with its lines and history, as the database has it now. */
const WHOLE = { populate: ['lines', 'history'], refresh: true } as const;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;

type Moment = { ms: number };

function guardOf({ orderId, state, fence }: Order): unknown[] {
  return [orderId, state, fence];
}

function timeOf([row]: readonly Moment[]): Date | undefined {
  return row === undefined ? undefined : new Date(row.ms);
}

/** When a guarded change was written; no row means that it was not. */
function written(order: Order, rows: readonly Moment[]): Date {
  const time = timeOf(rows);
  if (time === undefined) throw superseded(order);
  return time;
}

function superseded({ orderId }: Order): StatusError {
  return new StatusError(status.ABORTED, 'another call has this order in hand', {
    reason: 'ORDER_SUPERSEDED',
    metadata: { order_id: orderId },
  });
}
