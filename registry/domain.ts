/** The rules of leases: how long they last, when they end, and who may be registered. */
import { isIP } from 'node:net';

/** What an instance may be asked to do. */
export type Status = 'UP' | 'DRAINING' | 'OUT_OF_SERVICE';

/** One running process of a service. */
export type Instance = {
  readonly service: string;
  /** Chosen by the instance and kept when it registers again. */
  readonly instanceId: string;
  /** An IP literal. */
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  /** Share of traffic within its zone, at least 1. */
  readonly weight: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly status: Status;
};

/** When a lease was renewed, and for how long; times are monotonic ms. */
export type Term = { readonly renewedAt: number; readonly expiresAt: number; readonly ttl: number };

/** How long a lease may last, in ms. */
export const TTL = { least: 2_000, usual: 15_000, most: 300_000 } as const;

/** The longest stretch between two sweeps, in ms. */
export const SWEEP = 1_000;

/** How long an operator's word on an instance that left is kept, in ms. */
export const OVERRIDE_MEMORY = 24 * 60 * 60 * 1_000;

const METADATA_PAIRS = 64;
const METADATA_BYTES = 4_096;

/** A field that breaks a rule, as a path in the registered instance. */
export type Problem = { readonly field: string; readonly description: string };

/** The lease time that is granted: 15 s when none is asked for, between 2 s and 5 min. */
export function clampTtl(asked: number | undefined): number {
  if (asked === undefined || Number.isNaN(asked)) return TTL.usual;
  return Math.min(Math.max(asked, TTL.least), TTL.most);
}

/** A full term from now on. */
export function renewed(ttl: number, now: number): Term {
  return { renewedAt: now, expiresAt: now + ttl, ttl };
}

/** Whether a lease has run out: never before its whole TTL has passed without a heartbeat. */
export function expired(term: Term, now: number): boolean {
  return now >= term.expiresAt;
}

/**
 * How long the sweeps stood still, in ms, when they did for more than another interval: the process was
 * stopped or starved, so heartbeats could not be heard (Eureka's getCompensationTimeMs).
 */
export function stalled(elapsed: number, planned: number): number {
  const lost = elapsed - planned;
  return lost > SWEEP ? lost : 0;
}

/** Gives a lease back the time in which nobody could be heard, never more than one whole TTL from now. */
export function compensated(term: Term, lost: number, now: number): Term {
  return { ...term, expiresAt: Math.min(term.expiresAt + lost, now + term.ttl) };
}

/** How long the next sweep may wait, in ms: until a lease runs out, at most one second. */
export function untilSweep(terms: Iterable<Term>, now: number): number {
  let wait: number = SWEEP;
  for (const { expiresAt } of terms) wait = Math.min(wait, expiresAt - now);
  return Math.max(wait, 1);
}

/** What an instance may be asked to do: an operator's word goes over its own. */
export function effective(own: Status, override: Status | undefined): Status {
  return override ?? own;
}

/** The first rule that an instance breaks; undefined when it may be registered. */
export function problemOf(instance: Instance): Problem | undefined {
  if (!dialable(instance.address))
    return { field: 'instance.address', description: 'must be the IP address that others dial' };
  const pairs = Object.entries(instance.metadata);
  if (pairs.length > METADATA_PAIRS)
    return { field: 'instance.metadata', description: `must hold at most ${METADATA_PAIRS} pairs` };
  if (sizeOf(pairs) > METADATA_BYTES)
    return { field: 'instance.metadata', description: `must be at most ${METADATA_BYTES} bytes` };
  return undefined;
}

/** Host names and scoped addresses in EDS make clients refuse the whole update (grpc-js, C-core). */
function dialable(address: string): boolean {
  return isIP(address) !== 0 && !address.includes('%') && !UNSPECIFIED.has(address);
}

const UNSPECIFIED = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0']);

function sizeOf(pairs: [string, string][]): number {
  return pairs.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
}
