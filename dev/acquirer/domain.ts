/** The rules of charges, refunds and voids, pure: what a request does to the book, and what the book says. */
import type { Course } from './payment-tokens.ts';
import { Refused } from './refused.ts';

/** Where a charge stands. */
export type ChargeStatus = 'pending' | 'under_review' | 'succeeded' | 'declined' | 'voided';

/** What happened, in order; amounts are minor units as decimal texts, times ISO 8601. */
export type Entry =
  | {
      kind: 'charge';
      id: string;
      key: string;
      /** Of the request, to tell a repetition from another request with the same key. */
      fingerprint: string;
      amount: string;
      currency: string;
      orderId: string;
      status: ChargeStatus;
      declineReason?: string;
      cardBrand: string;
      cardLast4: string;
      /** When a pending charge is decided. */
      dueTime?: string;
      /** Whether that decision is announced by an event. */
      announced?: true;
      time: string;
    }
  | { kind: 'settlement'; chargeId: string; time: string }
  | {
      kind: 'refund';
      id: string;
      key: string;
      fingerprint: string;
      chargeId: string;
      amount: string;
      time: string;
    }
  | { kind: 'void'; chargeId: string; time: string };

type Opening = Extract<Entry, { kind: 'charge' }>;
type RefundEntry = Extract<Entry, { kind: 'refund' }>;

/** A charge and what became of it. */
export type Charge = Omit<Opening, 'kind'> & { refunded: bigint };

/** A refund. */
export type Refund = Omit<RefundEntry, 'kind'>;

/** A line of what auditors read: money that moved; a void says that nothing did, and its amount is 0. */
export type Movement = {
  kind: 'capture' | 'refund' | 'void';
  amount: string;
  currency: string;
  orderId: string;
  key: string;
  time: string;
};

/** All that happened so far, by what it is asked for. */
export type Book = {
  charges: Map<string, Charge>;
  chargesByKey: Map<string, Charge>;
  refundsByKey: Map<string, Refund>;
  movements: Movement[];
};

/** A book in which nothing happened. */
export function emptyBook(): Book {
  return { charges: new Map(), chargesByKey: new Map(), refundsByKey: new Map(), movements: [] };
}

/** Writes an entry that was decided into the book. */
export function post(book: Book, entry: Entry): void {
  switch (entry.kind) {
    case 'charge': {
      const { kind: _, ...opening } = entry;
      const charge = { ...opening, refunded: 0n };
      book.charges.set(charge.id, charge);
      book.chargesByKey.set(charge.key, charge);
      if (charge.status === 'succeeded') move(book, 'capture', { ...charge });
      return;
    }
    case 'settlement': {
      const charge = chargeOf(book, entry.chargeId);
      charge.status = 'succeeded';
      move(book, 'capture', { ...charge, time: entry.time });
      return;
    }
    case 'refund': {
      const { kind: _, ...refund } = entry;
      const charge = chargeOf(book, refund.chargeId);
      charge.refunded += BigInt(refund.amount);
      book.refundsByKey.set(refund.key, refund);
      move(book, 'refund', { ...charge, ...refund });
      return;
    }
    case 'void': {
      const charge = chargeOf(book, entry.chargeId);
      charge.status = 'voided';
      move(book, 'void', { ...charge, amount: '0', time: entry.time });
    }
  }
}

/** Throws Refused for an id that no charge has. */
export function chargeOf(book: Book, chargeId: string): Charge {
  const charge = book.charges.get(chargeId);
  if (charge === undefined) throw new Refused('charge_unknown');
  return charge;
}

function move(book: Book, kind: Movement['kind'], facts: Omit<Movement, 'kind'>): void {
  const { amount, currency, orderId, key, time } = facts;
  book.movements.push({ kind, amount, currency, orderId, key, time });
}

/** A request to charge. */
export type ChargeRequest = {
  key: string;
  fingerprint: string;
  amount: string;
  currency: string;
  orderId: string;
};

/** What a charge does: undefined for a key that did the same before; throws Refused for one that did something else. */
export function decideCharge(
  book: Book,
  request: ChargeRequest,
  { course, id, now }: { course: Course; id: string; now: Date },
): Entry | undefined {
  if (isRepeated(book.chargesByKey.get(request.key), request)) return undefined;
  const { cardBrand, cardLast4 } = course;
  const { key, fingerprint, amount, currency, orderId } = request;
  const facts = { key, fingerprint, amount, currency, orderId, cardBrand, cardLast4 };
  return { kind: 'charge', id, ...facts, ...openingOf(course, now), time: now.toISOString() };
}

function isRepeated(before: { fingerprint: string } | undefined, request: { fingerprint: string }): boolean {
  if (before !== undefined && before.fingerprint !== request.fingerprint) throw new Refused('key_reused');
  return before !== undefined;
}

function openingOf(
  { outcome, delay, answer }: Course,
  now: Date,
): Pick<Opening, 'status' | 'declineReason' | 'dueTime' | 'announced'> {
  if (delay > 0) {
    const dueTime = new Date(now.getTime() + delay).toISOString();
    return { status: 'pending', dueTime, ...(answer === 'at_once' ? { announced: true } : {}) };
  }
  if (outcome === 'succeeded' || outcome === 'under_review') return { status: outcome };
  return { status: 'declined', declineReason: outcome };
}

/** Captures a pending charge; undefined when it was decided or voided meanwhile. */
export function decideSettlement(book: Book, chargeId: string, now: Date): Entry | undefined {
  if (book.charges.get(chargeId)?.status !== 'pending') return undefined;
  return { kind: 'settlement', chargeId, time: now.toISOString() };
}

/** A request to give money back. */
export type RefundRequest = { key: string; fingerprint: string; chargeId: string; amount: string };

/** What a refund does, as `decideCharge`. Refunds of one charge may be many, and never more than was captured. */
export function decideRefund(
  book: Book,
  request: RefundRequest,
  { id, now }: { id: string; now: Date },
): Entry | undefined {
  if (isRepeated(book.refundsByKey.get(request.key), request)) return undefined;
  const { key, fingerprint, chargeId, amount } = request;
  if (BigInt(amount) > refundable(chargeOf(book, chargeId))) throw new Refused('refund_exceeds_capture');
  return { kind: 'refund', id, key, fingerprint, chargeId, amount, time: now.toISOString() };
}

/** What of a charge can still be given back, in minor units. */
export function refundable({ status, amount, refunded }: Charge): bigint {
  return status === 'succeeded' ? BigInt(amount) - refunded : 0n;
}

/**
 * Ends a charge that is not captured, so that it never will be: undefined when that was done before; throws Refused
 * when it was captured or declined.
 */
export function decideVoid(book: Book, chargeId: string, now: Date): Entry | undefined {
  const { status } = chargeOf(book, chargeId);
  if (status === 'voided') return undefined;
  if (status === 'declined' || status === 'succeeded') throw new Refused('charge_not_voidable');
  return { kind: 'void', chargeId, time: now.toISOString() };
}
