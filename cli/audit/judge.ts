/** Applies every check to the books, twice where something looks wrong. */
import type { Books } from './books.ts';
import { ACQUIRER_CHECKS } from './checks/acquirer.ts';
import type { Suspicion } from './checks/check.ts';
import { ORDER_CHECKS } from './checks/orders.ts';
import { PAYMENT_CHECKS } from './checks/payments.ts';
import { PROGRESS_CHECKS } from './checks/progress.ts';
import { PURCHASE_CHECKS } from './checks/purchases.ts';
import { STOCK_CHECKS } from './checks/stock.ts';
import { purchasesOf } from './purchases.ts';

/** What one check found. */
export type Verdict = { id: string; says: string; entities: number; suspicions: Suspicion[] };

/** The pause before a second look, in ms. */
const PAUSE = 1_000;

const CHECKS = [
  ...STOCK_CHECKS,
  ...ORDER_CHECKS,
  ...PURCHASE_CHECKS,
  ...PAYMENT_CHECKS,
  ...ACQUIRER_CHECKS,
  ...PROGRESS_CHECKS,
];

/** Every check, in order. */
export function judge(books: Books): Verdict[] {
  const evidence = { ...books, purchases: purchasesOf(books) };
  return CHECKS.map(({ id, says, look }) => ({ id, says, ...look(evidence) }));
}

/** How an audit reads the books and waits, in ms. */
export type Auditor = { read: () => Promise<Books>; sleep: (time: number) => Promise<unknown> };

/**
 * Reads and judges. When something looks wrong, it waits until that must have settled, at most 11 s, and reads
 * again: only what still looks wrong of the same entity then, and was left alone meanwhile, is a breach.
 */
export async function audit({ read, sleep }: Auditor): Promise<Verdict[]> {
  const first = judge(await read());
  const suspicions = first.flatMap((verdict) => verdict.suspicions);
  if (suspicions.length === 0) return first;
  await sleep(PAUSE + suspicions.reduce((longest, { settlesIn }) => Math.max(longest, settlesIn), 0));
  const suspected = new Set(first.flatMap(namesOf));
  return judge(await read()).map((verdict) => {
    const confirmed = verdict.suspicions.filter(
      (each) => each.settlesIn === 0 && suspected.has(nameOf(verdict.id, each)),
    );
    return { ...verdict, suspicions: confirmed };
  });
}

function namesOf({ id, suspicions }: Verdict): string[] {
  return suspicions.map((each) => nameOf(id, each));
}

function nameOf(id: string, { entity }: Suspicion): string {
  return `${id} ${entity}`;
}
