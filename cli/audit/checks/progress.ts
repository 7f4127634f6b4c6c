/** The rules of progress: nothing stays half-way for longer than recovery takes. */
import { isOpen, isUndecided, waitsForAcquirer } from '../purchases.ts';
import type { Purchase } from '../purchases.ts';
import { eachPurchase, when } from './check.ts';
import type { Check } from './check.ts';

/** In ms: whatever a crash left is finished or undone within this time of everything being healthy. */
const LONGEST_WAY = 30_000;

/** All of them; what the acquirer did not decide may wait. */
export const PROGRESS_CHECKS: readonly Check[] = [
  {
    id: 'stuck-order',
    says: `an order ends within ${LONGEST_WAY / 1000} s, unless the acquirer is undecided`,
    look: ({ purchases }) => eachPurchase(purchases, stuckOrder),
  },
  {
    id: 'stuck-payment',
    says: `a charge or a refund ends within ${LONGEST_WAY / 1000} s, unless the acquirer is undecided`,
    look: ({ purchases }) => eachPurchase(purchases, stuckPayment),
  },
];

function stuckOrder(purchase: Purchase): string[] {
  const { order, unchanged } = purchase;
  if (order === undefined || !isOpen(order) || unchanged < LONGEST_WAY) return [];
  const { state, ending } = order;
  const way = ending === undefined ? state : `${state} on its way to ${ending}`;
  return when(!waitsForAcquirer(purchase), `${way}, untouched for ${seconds(unchanged)}`);
}

function stuckPayment(purchase: Purchase): string[] {
  const { payment, unchanged } = purchase;
  if (payment === undefined) return [];
  const charge = isUndecided(payment) && !waitsForAcquirer(purchase) && unchanged >= LONGEST_WAY;
  return [
    ...when(charge, `its charge is ${payment.state} for ${seconds(unchanged)}`),
    ...payment.refunds
      .filter(({ state, age }) => state === 'PENDING' && age >= LONGEST_WAY)
      .map(({ refundId, age }) => `refund ${refundId} is PENDING for ${seconds(age)}`),
  ];
}

function seconds(milliseconds: number): string {
  return `${Math.floor(milliseconds / 1000)} s`;
}
