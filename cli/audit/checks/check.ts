/** What a check is: it looks at the books and names what contradicts its rule. */
import type { Books } from '../books.ts';
import type { Purchase } from '../purchases.ts';

/** The books, with purchases joined over all of them. */
export type Evidence = Books & { purchases: readonly Purchase[] };

/** One rule. */
export type Check = {
  /** A noun in kebab-case. */
  id: string;
  /** The rule, in a few words. */
  says: string;
  look: (evidence: Evidence) => Looked;
};

/** How many entities a check looked at, and what it found. */
export type Looked = { entities: number; suspicions: Suspicion[] };

/** Something that contradicts a rule. */
export type Suspicion = {
  /** What it is about, with its id. */
  entity: string;
  says: string;
  /** Ms until it counts: what may still be on its way is no breach. */
  settlesIn: number;
};

/**
 * In ms. The books of different owners are read at slightly different moments, and a purchase writes them one
 * after another; what was left alone for this long is not in between. A transaction may show up to 4 s after
 * the time that it carries, which is the longest that a statement runs.
 */
const SETTLED = 10_000;

/** Judges entities of one database: its snapshot is exact, so that every contradiction counts. */
export function eachEntity<T>(
  entities: readonly T[],
  name: (entity: T) => string,
  contradictions: (entity: T) => readonly string[],
): Looked {
  const suspicions = entities.flatMap((entity) =>
    contradictions(entity).map((says) => ({ entity: name(entity), says, settlesIn: 0 })),
  );
  return { entities: entities.length, suspicions };
}

/** Judges purchases over several databases: a contradiction counts once the purchase was left alone for a while. */
export function eachPurchase(
  purchases: readonly Purchase[],
  contradictions: (purchase: Purchase) => readonly string[],
): Looked {
  const suspicions = purchases.flatMap((purchase) => {
    const settlesIn = Math.max(0, SETTLED - purchase.unchanged);
    return contradictions(purchase).map((says) => ({ entity: `order ${purchase.orderId}`, says, settlesIn }));
  });
  return { entities: purchases.length, suspicions };
}

/** The sentence when something is so, none otherwise. */
export function when(condition: boolean, says: string): string[] {
  return condition ? [says] : [];
}
