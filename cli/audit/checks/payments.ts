/** The rules of money inside the payment service, which one snapshot of its database shows at every instant. */
import type { Payment, PaymentEntry, Refund } from '../books.ts';
import { sameAmount, sum } from './amount.ts';
import { eachEntity, when } from './check.ts';
import type { Check, Evidence, Looked } from './check.ts';

/** All of them. */
export const PAYMENT_CHECKS: readonly Check[] = [
  {
    id: 'money-capture',
    says: 'a payment that succeeded has one capture of its amount, no other has any',
    look: (evidence) => eachPayment(evidence, 'CAPTURE', miscaptured),
  },
  {
    id: 'money-refund',
    says: 'refunds add up, and never exceed the capture',
    look: (evidence) => eachPayment(evidence, 'REFUND', misrefunded),
  },
];

type Kind = PaymentEntry['kind'];

/** A payment with its entries of one kind; only entries when the payment is gone. */
type Account = { paymentId: string; payment: Payment | undefined; entries: PaymentEntry[] };

function eachPayment(
  { payments, paymentEntries }: Evidence,
  kind: Kind,
  judge: (payment: Payment, entries: readonly PaymentEntry[]) => string[],
): Looked {
  const entered = Map.groupBy(
    paymentEntries.filter((entry) => entry.kind === kind),
    ({ paymentId }) => paymentId,
  );
  const known = new Map(payments.map((payment) => [payment.paymentId, payment]));
  const accounts = [...new Set([...known.keys(), ...entered.keys()])].map((paymentId): Account => {
    return { paymentId, payment: known.get(paymentId), entries: entered.get(paymentId) ?? [] };
  });
  return eachEntity(accounts, accountName, ({ payment, entries }) =>
    payment === undefined ? ['in the ledger, but there is no such payment'] : judge(payment, entries),
  );
}

function accountName({ paymentId, payment, entries }: Account): string {
  return `payment ${paymentId} of order ${payment?.orderId ?? entries[0]?.orderId}`;
}

function miscaptured({ state, amount, orderId }: Payment, captures: readonly PaymentEntry[]): string[] {
  const due = state === 'SUCCEEDED' ? 1 : 0;
  return [
    ...when(captures.length !== due, `${state}, but captured ${captures.length} times`),
    ...captures.flatMap((capture) => [
      ...when(
        !sameAmount(capture.amount, amount),
        `charged ${amount.minorUnits}, but captured ${capture.amount.minorUnits}`,
      ),
      ...when(capture.orderId !== orderId, `captured for order ${capture.orderId}`),
    ]),
  ];
}

function misrefunded(payment: Payment, entries: readonly PaymentEntry[]): string[] {
  const { state, amount, claimed, refunded, refunds } = payment;
  const captured = state === 'SUCCEEDED' ? amount.minorUnits : 0n;
  const made = refunds.filter((refund) => refund.state === 'SUCCEEDED');
  const booked = sum(entries.map((entry) => entry.amount.minorUnits));
  return [
    ...when(refunded < 0n || refunded > claimed, `${refunded} refunded of ${claimed} claimed`),
    ...when(claimed > captured, `${claimed} claimed of ${captured} captured`),
    ...when(booked > captured, `${booked} refunded of ${captured} captured, by the ledger`),
    ...when(claimed !== sumOf(refunds), `${claimed} claimed, but refunds of ${sumOf(refunds)} were begun`),
    ...when(refunded !== sumOf(made), `${refunded} refunded, but refunds of ${sumOf(made)} were made`),
    ...made.flatMap((refund) => unbooked(refund, entries)),
    ...entries.flatMap((entry) => unmade(entry, made)),
  ];
}

function sumOf(refunds: readonly Refund[]): bigint {
  return sum(refunds.map(({ amount }) => amount));
}

function unbooked({ refundId, amount }: Refund, entries: readonly PaymentEntry[]): string[] {
  const own = entries.filter((entry) => entry.refundId === refundId);
  return when(
    own.length !== 1 || own[0]?.amount.minorUnits !== amount,
    `refund ${refundId} of ${amount} is ${own.length} times in the ledger, with ${sum(own.map((each) => each.amount.minorUnits))}`,
  );
}

function unmade({ refundId = '' }: PaymentEntry, made: readonly Refund[]): string[] {
  return when(
    !made.some((refund) => refund.refundId === refundId),
    `refund ${refundId} is in the ledger, but was not made`,
  );
}
