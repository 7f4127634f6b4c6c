/** Holds an issuer's public keys so that no verification waits for the issuer, nor fails with it. */
import { status } from '@grpc/grpc-js';
import type { KeyObject } from 'node:crypto';
import { StatusError } from '../rpc/status-error.ts';
import type { KeySet } from './issuer-keys.ts';

/** Keys by name, without and with waiting. */
export type KeyRing = {
  /** A key that is at hand; starts a refresh in the background when the keys are no longer fresh. */
  held: (kid: string) => KeyObject | undefined;
  /**
   * A key, asking the issuer for one not at hand; undefined when the issuer does not know it either.
   * Rejects with UNAVAILABLE, reason KEYS_UNAVAILABLE, while no key was ever fetched or all are too old.
   */
  find: (kid: string) => Promise<KeyObject | undefined>;
};

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
export function keyRing({ fetchKeys, clock, onChange }: KeyRingOptions): KeyRing {
  let keys: ReadonlyMap<string, KeyObject> = new Map();
  let fetchedAt = -Infinity;
  let triedAt = -Infinity;
  let unknownAt = -Infinity;
  let freshFor = LONGEST_FRESH;
  let flight: Promise<void> | undefined;
  let failure: unknown;

  const attempt = async (): Promise<void> => {
    triedAt = clock();
    const next = await fetchKeys();
    const changed = !sameKeys(keys, next.keys);
    keys = next.keys;
    fetchedAt = clock();
    freshFor = freshness(next.maxAge);
    if (changed) onChange();
  };
  /** Single flight; a failure leaves everything as it was. */
  const refresh = (): Promise<void> => {
    flight ??= attempt()
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        flight = undefined;
      });
    return flight;
  };
  const usable = (): boolean => clock() - fetchedAt <= LONGEST_STALE;

  const held = (kid: string): KeyObject | undefined => {
    if (!usable()) return undefined;
    const now = clock();
    if (now - fetchedAt > freshFor && now - triedAt > REFRESH_INTERVAL) void refresh();
    return keys.get(kid);
  };
  const find = async (kid: string): Promise<KeyObject | undefined> => {
    const key = held(kid);
    if (key !== undefined) return key;
    const now = clock();
    if (!usable()) {
      if (flight !== undefined || now - triedAt >= COLD_INTERVAL) await refresh();
      if (!usable()) throw keysUnavailable(failure);
    } else if (flight !== undefined) {
      await flight;
    } else if (now - unknownAt >= UNKNOWN_INTERVAL) {
      unknownAt = now;
      await refresh();
    }
    return keys.get(kid);
  };
  return { held, find };
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
