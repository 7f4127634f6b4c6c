/** Reads the books of the payment service: payments with refunds, and its ledger of moved money. */
import type { Books, Payment, PaymentEntry, Refund } from './books.ts';
import { ageOf } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** What the payment service knows. */
export type PaymentBook = Pick<Books, 'payments' | 'paymentEntries'>;

/** All payments, barred ones too. */
export async function readPaymentBook(snapshot: Snapshot): Promise<PaymentBook> {
  const payments = await snapshot.rows<PaymentRow>(PAYMENTS);
  const refunds = Map.groupBy(await snapshot.rows<RefundRow>(REFUNDS), (row) => row.payment_id);
  const entries = await snapshot.rows<EntryRow>(ENTRIES);
  return {
    payments: payments.map((row) => toPayment(row, (refunds.get(row.payment_id) ?? []).map(toRefund))),
    paymentEntries: entries.map(toEntry),
  };
}

const PAYMENTS = `
  select payment_id, order_id, customer_id, state, currency_code, amount_minor, refund_claimed_minor,
    refunded_minor, transaction_id, ${ageOf('update_time')} as unchanged
  from payment order by order_id`;

const REFUNDS = `
  select refund_id, payment_id, amount_minor, state, ${ageOf('create_time')} as age
  from refund order by refund_id`;

const ENTRIES = `
  select payment_id, order_id, kind, refund_id, currency_code, amount_minor, ${ageOf('create_time')} as age
  from payment_ledger order by entry_id`;

type PaymentRow = {
  payment_id: string;
  order_id: string;
  customer_id: string;
  state: Payment['state'];
  currency_code: string;
  amount_minor: string;
  refund_claimed_minor: string;
  refunded_minor: string;
  transaction_id: string;
  unchanged: number;
};
type RefundRow = {
  refund_id: string;
  payment_id: string;
  amount_minor: string;
  state: Refund['state'];
  age: number;
};
type EntryRow = {
  payment_id: string;
  order_id: string;
  kind: PaymentEntry['kind'];
  refund_id: string | null;
  currency_code: string;
  amount_minor: string;
  age: number;
};

/** A refund that was begun changed its payment. */
function toPayment(row: PaymentRow, refunds: Refund[]): Payment {
  return {
    paymentId: row.payment_id,
    orderId: row.order_id,
    customerId: row.customer_id,
    state: row.state,
    amount: { currencyCode: row.currency_code, minorUnits: BigInt(row.amount_minor) },
    claimed: BigInt(row.refund_claimed_minor),
    refunded: BigInt(row.refunded_minor),
    transactionId: row.transaction_id,
    refunds,
    unchanged: Math.min(row.unchanged, ...refunds.map(({ age }) => age)),
  };
}

function toRefund({ refund_id, amount_minor, state, age }: RefundRow): Refund {
  return { refundId: refund_id, amount: BigInt(amount_minor), state, age };
}

function toEntry({ currency_code, amount_minor, ...row }: EntryRow): PaymentEntry {
  return {
    paymentId: row.payment_id,
    orderId: row.order_id,
    kind: row.kind,
    refundId: row.refund_id ?? undefined,
    amount: { currencyCode: currency_code, minorUnits: BigInt(amount_minor) },
    age: row.age,
  };
}
