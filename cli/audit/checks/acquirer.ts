/** The rules that join the payment service with the acquirer's own ledger, per order. */
import type { AcquirerEntry } from '../books.ts';
import { isUndecided } from '../purchases.ts';
import type { Purchase } from '../purchases.ts';
import { sum } from './amount.ts';
import { eachPurchase, when } from './check.ts';
import type { Check } from './check.ts';

/** All of them; a charge without an outcome is left to the checks of progress. */
export const ACQUIRER_CHECKS: readonly Check[] = [
  {
    id: 'acquirer-capture',
    says: 'the acquirer captured once what succeeded, and nothing else',
    look: ({ purchases }) => eachPurchase(purchases, miscaptured),
  },
  {
    id: 'acquirer-refund',
    says: 'the acquirer gave back what the payment says',
    look: ({ purchases }) => eachPurchase(purchases, misrefunded),
  },
];

function miscaptured({ payment, acquirerEntries }: Purchase): string[] {
  if (payment !== undefined && isUndecided(payment)) return [];
  const succeeded = payment?.state === 'SUCCEEDED';
  const state = `its payment is ${payment?.state ?? 'missing'}`;
  const captures = acquirerEntries.filter(({ kind }) => kind === 'capture');
  const voided = total(acquirerEntries, 'void');
  const kept = total(captures, 'capture') - voided;
  const due = succeeded ? payment.amount.minorUnits : 0n;
  const currencies = new Set(acquirerEntries.map(({ amount }) => amount.currencyCode));
  return [
    ...when(captures.length > 1, `captured ${captures.length} times at the acquirer`),
    ...when(kept !== due, `${state} with ${due}, but the acquirer captured ${kept}`),
    ...when(
      succeeded && currencies.size > 0 && [...currencies].join(' ') !== payment.amount.currencyCode,
      `charged in ${payment?.amount.currencyCode}, but the acquirer moved ${[...currencies].join(' and ')}`,
    ),
  ];
}

/** A refund that was begun may have been made before the payment service knows. */
function misrefunded({ payment, acquirerEntries }: Purchase): string[] {
  const { refunded = 0n, claimed = 0n } = payment ?? {};
  const given = total(acquirerEntries, 'refund');
  const due = refunded === claimed ? `${refunded}` : `${refunded} to ${claimed}`;
  return when(given < refunded || given > claimed, `refunded ${due}, but the acquirer gave back ${given}`);
}

function total(entries: readonly AcquirerEntry[], kind: AcquirerEntry['kind']): bigint {
  return sum(entries.filter((entry) => entry.kind === kind).map(({ amount }) => amount.minorUnits));
}
