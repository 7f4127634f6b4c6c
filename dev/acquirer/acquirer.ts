/** The acquirer: decides requests by the book, and answers when the ledger has the outcome on disk. */
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Clearing } from './clearing.ts';
import {
  chargeOf,
  decideCharge,
  decideRefund,
  decideSettlement,
  decideVoid,
  emptyBook,
  post,
} from './domain.ts';
import type { Charge, ChargeRequest, Entry, Movement, Refund, RefundRequest } from './domain.ts';
import type { Ledger } from './ledger.ts';
import { courseOf } from './payment-tokens.ts';
import { Refused } from './refused.ts';

/** What it stands on. */
export type AcquirerOptions = {
  ledger: Ledger;
  clock: () => Date;
  /** Told of each charge that is decided after its request was answered. */
  onDecided: (charge: Charge) => void;
};

/** Keys whose outages are remembered. */
const MOST_OUTAGES = 10_000;

/** An acquirer on a ledger; its methods throw Refused. Charges that were pending when it was closed are decided now. */
export class Acquirer {
  readonly #ledger: Ledger;
  readonly #clock: () => Date;
  readonly #onDecided: (charge: Charge) => void;
  readonly #book = emptyBook();
  readonly #clearing: Clearing;
  readonly #outages = new LRUCache<string, number>({ max: MOST_OUTAGES });

  constructor({ ledger, clock, onDecided }: AcquirerOptions) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#onDecided = onDecided;
    this.#clearing = new Clearing(clock, (chargeId) => this.#settle(chargeId));
    for (const entry of ledger.entries) post(this.#book, entry);
    for (const charge of this.#book.charges.values()) this.#clear(charge);
  }

  /** Charges once for each key. 'nothing': the money has moved, and the answer will never come. */
  async charge({ token, ...request }: ChargeRequest & { token: string }): Promise<Charge | 'nothing'> {
    const course = courseOf(token);
    if (course === undefined) throw new Refused('token_unknown');
    this.#suffer(request.key, course.outages);
    const id = `ch_${randomUUID()}`;
    const entry = decideCharge(this.#book, request, { course, id, now: this.#clock() });
    this.#record(entry);
    const charge = found(this.#book.chargesByKey.get(request.key));
    if (entry !== undefined) this.#clear(charge);
    await this.#ledger.flushed();
    if (entry !== undefined && course.answer === 'never') return 'nothing';
    if (course.answer === 'decided') await this.#clearing.decided(charge.id);
    return charge;
  }

  /** The charge that was begun with a key, also while its request is still open. */
  async find(key: string): Promise<Charge> {
    await this.#ledger.flushed();
    return found(this.#book.chargesByKey.get(key));
  }

  /** Gives back once for each key. */
  async refund(request: RefundRequest): Promise<Refund & { currency: string }> {
    const id = `re_${randomUUID()}`;
    this.#record(decideRefund(this.#book, request, { id, now: this.#clock() }));
    await this.#ledger.flushed();
    const { currency } = chargeOf(this.#book, request.chargeId);
    return { ...found(this.#book.refundsByKey.get(request.key)), currency };
  }

  /** Ends a charge that is not captured, so that it never will be. */
  async void(chargeId: string): Promise<Charge> {
    this.#record(decideVoid(this.#book, chargeId, this.#clock()));
    await this.#ledger.flushed();
    return chargeOf(this.#book, chargeId);
  }

  /** Captures, refunds and voids, oldest first. */
  async movements(): Promise<readonly Movement[]> {
    await this.#ledger.flushed();
    return this.#book.movements;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clearing[Symbol.dispose]();
    await this.#ledger.close();
  }

  /** The book is ahead of the disk for a moment; whoever reads it waits for the disk before answering. */
  #record(entry: Entry | undefined): void {
    if (entry === undefined) return;
    post(this.#book, entry);
    this.#ledger.append(entry);
  }

  #clear({ id, status, dueTime }: Charge): void {
    if (status === 'pending' && dueTime !== undefined) this.#clearing.schedule(id, new Date(dueTime));
  }

  async #settle(chargeId: string): Promise<void> {
    const entry = decideSettlement(this.#book, chargeId, this.#clock());
    this.#record(entry);
    await this.#ledger.flushed();
    const charge = chargeOf(this.#book, chargeId);
    if (entry !== undefined && charge.announced === true) this.#onDecided(charge);
  }

  #suffer(key: string, times: number): void {
    const suffered = this.#outages.get(key) ?? 0;
    if (suffered >= times || this.#book.chargesByKey.has(key)) return;
    this.#outages.set(key, suffered + 1);
    throw new Refused('unavailable');
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Refused('charge_unknown');
  return value;
}
