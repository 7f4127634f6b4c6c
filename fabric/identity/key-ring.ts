/** Holds an issuer's public keys so that no verification waits for the issuer, nor fails with it. */
import { status } from '@grpc/grpc-js';
import type { KeyObject } from 'node:crypto';
import { StatusError } from '../rpc/status-error.ts';
import type { KeySet } from './issuer-keys.ts';

/** Where keys come from. */
export type KeyRingOptions = {
  fetchKeys: () => Promise<KeySet>;
  /** Milliseconds. */
  clock: () => number;
  /** Told when the set differs from the one before: whatever was verified with a removed key is void. */
  onChange: () => void;
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Fresh for 5 minutes, or less when the issuer says so, but not less than one. */
const LONGEST_FRESH = 5 * MINUTE;
const SHORTEST_FRESH = MINUTE;
/** An unknown kid makes at most one request in this time: a flood of them must not become one of requests. */
const UNKNOWN_INTERVAL = 30 * SECOND;
/** Between two background refreshes when they fail. */
const REFRESH_INTERVAL = 30 * SECOND;
/** Between two attempts while there is no usable key at all. */
const COLD_INTERVAL = SECOND;
/** A silent issuer's keys are trusted for a day. */
const LONGEST_STALE = 24 * 60 * MINUTE;

/** Keys are fetched at the first find, by one request at a time; a bad answer never empties the ring. */
export class KeyRing {
  readonly #options: KeyRingOptions;
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  #freshFor = LONGEST_FRESH;
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #unknownAt = -Infinity;
  #flight: Promise<void> | undefined;
  #failure: unknown;

  constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /** A key that is at hand; starts a refresh in the background when the keys are no longer fresh. */
  held(kid: string): KeyObject | undefined {
    if (!this.#usable()) return undefined;
    if (this.#since(this.#fetchedAt) > this.#freshFor && this.#since(this.#triedAt) > REFRESH_INTERVAL)
      void this.#refresh();
    return this.#keys.get(kid);
  }

  /**
   * A key, asking the issuer for one not at hand; undefined when the issuer does not know it either.
   * Rejects with UNAVAILABLE, reason KEYS_UNAVAILABLE, while no key was ever fetched or all are too old.
   */
  async find(kid: string): Promise<KeyObject | undefined> {
    const key = this.held(kid);
    if (key !== undefined) return key;
    await (this.#usable() ? this.#askForUnknown() : this.#warmUp());
    return this.#keys.get(kid);
  }

  async #warmUp(): Promise<void> {
    if (this.#flight !== undefined || this.#since(this.#triedAt) >= COLD_INTERVAL) await this.#refresh();
    if (!this.#usable()) throw keysUnavailable(this.#failure);
  }

  async #askForUnknown(): Promise<void> {
    if (this.#flight === undefined) {
      if (this.#since(this.#unknownAt) < UNKNOWN_INTERVAL) return;
      this.#unknownAt = this.#options.clock();
    }
    await this.#refresh();
  }

  /** Single flight: whoever comes meanwhile waits for the same answer. */
  #refresh(): Promise<void> {
    this.#flight ??= this.#attempt();
    return this.#flight;
  }

  /** A failure leaves everything as it was. */
  async #attempt(): Promise<void> {
    try {
      await this.#fetch();
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#flight = undefined;
    }
  }

  async #fetch(): Promise<void> {
    const { fetchKeys, clock, onChange } = this.#options;
    this.#triedAt = clock();
    const { keys, maxAge } = await fetchKeys();
    const changed = !sameKeys(this.#keys, keys);
    this.#keys = keys;
    this.#freshFor = freshness(maxAge);
    this.#fetchedAt = clock();
    if (changed) onChange();
  }

  #usable(): boolean {
    return this.#since(this.#fetchedAt) <= LONGEST_STALE;
  }

  #since(moment: number): number {
    return this.#options.clock() - moment;
  }
}

function freshness(maxAge: number | undefined): number {
  return Math.min(LONGEST_FRESH, Math.max(SHORTEST_FRESH, (maxAge ?? Infinity) * SECOND));
}

function sameKeys(some: ReadonlyMap<string, KeyObject>, others: ReadonlyMap<string, KeyObject>): boolean {
  if (some.size !== others.size) return false;
  return [...some].every(([kid, key]) => others.get(kid)?.equals(key) === true);
}

function keysUnavailable(cause: unknown): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the keys of the identity provider are not available', {
    reason: 'KEYS_UNAVAILABLE',
    cause,
  });
}
