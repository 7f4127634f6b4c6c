/** Keeps payments, refunds and the ledger of moved money in PostgreSQL. */
import { randomUUIDv7 } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { LockMode } from '@mikro-orm/postgresql';
import type { EntityManager, FilterQuery } from '@mikro-orm/postgresql';
import { fromDatabaseError } from '#fabric/data/database-error.ts';
import type { Database } from '#fabric/data/database.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { decideRefund, isOpen, REPLACES } from './domain.ts';
import type { ChargeDemand, ChargeState, Money, RefundDecision } from './domain.ts';
import { PaymentEntity, RefundEntity } from './entities.ts';
import type { StoredPayment, StoredRefund } from './entities.ts';

/** A charge to begin; requests for it may leave for the acquirer during `window` ms from now. */
export type NewCharge = ChargeDemand & { orderId: string; window: number };

/** What the acquirer said of a charge. */
export type ChargeOutcome = {
  state: Exclude<ChargeState, 'BARRED'>;
  transactionId: string;
  cardBrand: string;
  cardLast4: string;
  failureReason: string;
};

/** A refund to begin; without an amount, of all that is left. */
export type NewRefund = { orderId: string; requestId: string; amount?: Money | undefined; reason: string };

/** The refund of a request, begun now or before, or the mark that the charge is undone, or why nothing is. */
export type BegunRefund =
  | { payment: StoredPayment; refund: StoredRefund }
  | { payment: StoredPayment; undo: true }
  | { payment: StoredPayment; refusal: Extract<RefundDecision, { refusal: string }> };

/** Which payments to list, newest first. */
export type PaymentQuery = {
  /** Only this customer's; everybody's when undefined. */
  customerId: string | undefined;
  orderId: string | undefined;
  /** The last payment of the page before. */
  after: string | undefined;
  limit: number;
};

/** Payments, kept durably; failures are StatusErrors. */
export type PaymentStore = {
  /** Writes a PENDING payment unless the order has one, and answers the one it has; `fresh` when it is new. */
  begin(charge: NewCharge): Promise<{ payment: StoredPayment; fresh: boolean }>;
  /** Lets requests for an unfinished charge leave for `window` ms more; false when it is finished or undone. */
  extend(orderId: string, window: number): Promise<boolean>;
  /**
   * Records an outcome, unless there is a later one already; a capture goes to the ledger with it, and begins
   * its own refund where the order is undone or barred.
   */
  settle(orderId: string, outcome: ChargeOutcome): Promise<StoredPayment>;
  /** Forgets a charge that the acquirer refused to begin. */
  forget(orderId: string): Promise<void>;
  /** Bars an order that has no charge, or whose requests could last reach the acquirer `since` ms ago. */
  bar(orderId: string, since?: number): Promise<void>;
  /** Claims the amount under the payment's lock; undefined when the order has no payment. */
  beginRefund(refund: NewRefund): Promise<BegunRefund | undefined>;
  /** Records that the money went back, once, with its ledger entry. */
  settleRefund(refundId: string): Promise<void>;
  /** Barred ones too. */
  findByOrder(orderId: string): Promise<StoredPayment | undefined>;
  /** What a customer may be shown. */
  find(paymentId: string): Promise<StoredPayment | undefined>;
  list(query: PaymentQuery): Promise<StoredPayment[]>;
};

/** In ms: whoever begins something finishes it within that time, or the recovery does. */
const HEAD_START = 10_000;

/** The store behind the payment service. */
export function paymentStore(database: Database): PaymentStore {
  const run = <T>(work: (em: EntityManager) => Promise<T>): Promise<T> => guarded(() => work(database.em()));
  return {
    begin: (charge) => run((em) => begin(em, charge)),
    extend: (orderId, window) => run((em) => extend(em, orderId, window)),
    settle: (orderId, outcome) => run((em) => settle(em, orderId, outcome)),
    forget: (orderId) => run((em) => forget(em, orderId)),
    bar: (orderId, since = 0) => run((em) => bar(em, orderId, since)),
    beginRefund: (refund) => run((em) => em.transactional((tx) => beginRefund(tx, refund))),
    settleRefund: (refundId) => run((em) => settleRefund(em, refundId)),
    findByOrder: (orderId) => run((em) => findByOrder(em, orderId)),
    find: (paymentId) => run((em) => findOne(em, { paymentId, state: { $ne: 'BARRED' } })),
    list: (query) => run((em) => list(em, query)),
  };
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fromDatabaseError(error);
  }
}

async function begin(
  em: EntityManager,
  { orderId, customerId, amount, tokenDigest, window }: NewCharge,
): Promise<{ payment: StoredPayment; fresh: boolean }> {
  const inserted = await em.execute<unknown[]>(
    `insert into payment
       (payment_id, order_id, customer_id, currency_code, amount_minor, token_digest, state, charge_until,
        recover_at)
     select ?, ?, ?, ?, ?, ?, 'PENDING', until, until from (select now() + ? * interval '1 millisecond' as until)
     on conflict (order_id) do nothing returning payment_id`,
    [randomUUIDv7(), orderId, customerId, amount.currencyCode, amount.minorUnits, tokenDigest, window],
  );
  return { payment: await getByOrder(em, orderId), fresh: inserted.length > 0 };
}

async function extend(em: EntityManager, orderId: string, window: number): Promise<boolean> {
  const extended = await em.execute<unknown[]>(
    `update payment
     set charge_until = greatest(charge_until, now() + ? * interval '1 millisecond')
     where order_id = ? and state in ('PENDING', 'UNDER_REVIEW') and not undone returning payment_id`,
    [window, orderId],
  );
  return extended.length > 0;
}

async function settle(em: EntityManager, orderId: string, outcome: ChargeOutcome): Promise<StoredPayment> {
  const { state, transactionId, cardBrand, cardLast4, failureReason } = outcome;
  const captured = state === 'SUCCEEDED';
  // A refund without a request: no request has the empty id, which its rules forbid.
  await em.execute(
    `with settled as (
       update payment set state = ?, transaction_id = ?, card_brand = ?, card_last4 = ?, failure_reason = ?,
         undone = undone or state = 'BARRED',
         refund_claimed_minor = case when ? and (undone or state = 'BARRED') then amount_minor else 0 end,
         recover_at = case
           when ? then recover_at
           when ? and (undone or state = 'BARRED') then now() + ? * interval '1 millisecond'
         end,
         update_time = now()
       where order_id = ? and (state in (?) or (? and state = 'BARRED' and amount_minor > 0))
       returning payment_id, order_id, currency_code, amount_minor, state, undone
     ), captured as (
       insert into payment_ledger (payment_id, order_id, kind, currency_code, amount_minor)
       select payment_id, order_id, 'CAPTURE', currency_code, amount_minor
       from settled where state = 'SUCCEEDED'
     )
     insert into refund (refund_id, payment_id, request_id, amount_minor, reason, state)
     select ?, payment_id, '', amount_minor, 'the order was undone', 'PENDING'
     from settled where state = 'SUCCEEDED' and undone`,
    [
      [state, transactionId, cardBrand, cardLast4, failureReason],
      [captured, isOpen(state), captured, HEAD_START],
      [orderId, REPLACES[state], captured, randomUUIDv7()],
    ].flat(),
  );
  return getByOrder(em, orderId);
}

async function forget(em: EntityManager, orderId: string): Promise<void> {
  // One that is undone meanwhile stays, so that the order cannot be charged again.
  await em.execute(
    `delete from payment where order_id = ? and state = 'PENDING' and transaction_id = '' and not undone`,
    [orderId],
  );
}

async function bar(em: EntityManager, orderId: string, since: number): Promise<void> {
  // XXX is ISO 4217's code for "no currency". A charge that was begun is looked after: a request for it that
  // was held up on its way would take money.
  await em.execute(
    `insert into payment
       (payment_id, order_id, customer_id, currency_code, amount_minor, token_digest, state, charge_until)
     values (?, ?, '', 'XXX', 0, '', 'BARRED', now())
     on conflict (order_id) do update
     set state = 'BARRED', recover_at = now() + ? * interval '1 millisecond', recoveries = 0, update_time = now()
     where payment.state = 'PENDING' and payment.transaction_id = ''
       and payment.charge_until < now() - ? * interval '1 millisecond'`,
    [randomUUIDv7(), orderId, HEAD_START, since],
  );
}

async function beginRefund(
  tx: EntityManager,
  { orderId, requestId, amount, reason }: NewRefund,
): Promise<BegunRefund | undefined> {
  // The lock makes concurrent refunds take turns: each sees what the others have claimed.
  const lockMode = LockMode.PESSIMISTIC_WRITE;
  const payment = await tx.findOne(PaymentEntity, { orderId, state: { $ne: 'BARRED' } }, { lockMode });
  if (payment === null) return undefined;
  const begun = await tx.findOne(RefundEntity, { payment, requestId });
  if (begun !== null) return { payment, refund: begun };
  const decision = decideRefund(payment, amount);
  if ('refusal' in decision) return { payment, refusal: decision };
  if ('undo' in decision) {
    await tx.execute(
      `update payment set undone = true, recover_at = now() + ? * interval '1 millisecond', recoveries = 0,
         update_time = now()
       where payment_id = ? and not undone`,
      [HEAD_START, payment.paymentId],
    );
    return { payment, ...decision };
  }
  const refundId = randomUUIDv7();
  await tx.execute(
    `with refund as (
       insert into refund (refund_id, payment_id, request_id, amount_minor, reason, state)
       values (?, ?, ?, ?, ?, 'PENDING') returning payment_id, amount_minor
     )
     update payment set refund_claimed_minor = refund_claimed_minor + refund.amount_minor,
       recover_at = now() + ? * interval '1 millisecond', recoveries = 0
     from refund where payment.payment_id = refund.payment_id`,
    [refundId, payment.paymentId, requestId, decision.amount, reason, HEAD_START],
  );
  return { payment, refund: await tx.findOneOrFail(RefundEntity, { refundId }) };
}

async function settleRefund(em: EntityManager, refundId: string): Promise<void> {
  await em.execute(
    `with settled as (
       update refund set state = 'SUCCEEDED' where refund_id = ? and state = 'PENDING'
       returning refund_id, payment_id, amount_minor
     ), paid as (
       update payment set refunded_minor = refunded_minor + settled.amount_minor, update_time = now(),
         recover_at = case when refunded_minor + settled.amount_minor < refund_claimed_minor then recover_at end
       from settled where payment.payment_id = settled.payment_id
       returning payment.payment_id, order_id, currency_code
     )
     insert into payment_ledger (payment_id, order_id, kind, refund_id, currency_code, amount_minor)
     select payment_id, order_id, 'REFUND', refund_id, currency_code, amount_minor
     from settled join paid using (payment_id)`,
    [refundId],
  );
}

async function getByOrder(em: EntityManager, orderId: string): Promise<StoredPayment> {
  const payment = await findByOrder(em, orderId);
  if (payment !== undefined) return payment;
  throw new StatusError(status.ABORTED, 'the payment was forgotten meanwhile', {
    reason: 'CONFLICT',
    metadata: { order_id: orderId },
  });
}

function findByOrder(em: EntityManager, orderId: string): Promise<StoredPayment | undefined> {
  return findOne(em, { orderId });
}

async function findOne(
  em: EntityManager,
  where: FilterQuery<StoredPayment>,
): Promise<StoredPayment | undefined> {
  return (await em.findOne(PaymentEntity, where, { populate: ['refunds'] })) ?? undefined;
}

function list(
  em: EntityManager,
  { customerId, orderId, after, limit }: PaymentQuery,
): Promise<StoredPayment[]> {
  const where: FilterQuery<StoredPayment> = {
    state: { $ne: 'BARRED' },
    ...(customerId === undefined ? {} : { customerId }),
    ...(orderId === undefined ? {} : { orderId }),
    ...(after === undefined ? {} : { paymentId: { $lt: after } }),
  };
  return em.find(PaymentEntity, where, { populate: ['refunds'], orderBy: { paymentId: 'desc' }, limit });
}
