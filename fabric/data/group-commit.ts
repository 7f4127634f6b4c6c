/** Group commit: calls that arrive while a batch is being written are written together as the next one. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { context } from '@opentelemetry/api';
import { currentCall } from '../rpc/call-context.ts';
import type { CallContext } from '../rpc/call-context.ts';
import { StatusError } from '../rpc/status-error.ts';
import { activeTraceId, withSpan } from '../telemetry/tracing.ts';
import { fromDatabaseError, LOCK_NOT_AVAILABLE, sqlState } from './database-error.ts';

/** What is written in batches, and how. */
export type GroupCommitOptions<T, R extends object> = {
  /** For spans and refusals, "reserve stock". */
  name: string;
  /**
   * Writes items in one transaction, in the order in which they came. Answers an outcome for each, in their
   * order; an item that is refused on its own account answers a StatusError. Rejects when nothing was written,
   * or when the database did not say whether it was.
   */
  run: (items: readonly T[]) => Promise<readonly (R | StatusError)[]>;
  /** Items of one key never share a batch; the later one waits for the next. By default all may. */
  keyOf?: (item: T) => string;
  /** Items of one batch at most; default 256. */
  largest?: number;
  /** Items that may wait at most; default 4,096. */
  room?: number;
  /** How long one batch may take, in ms; default 5 s. */
  timeout?: number;
  /** Told the number of items of each transaction. */
  observe?: (size: number) => void;
};

/** Attempts of an item whose transaction, its alone, was in another's way. */
const ATTEMPTS = 3;
/** Before such an attempt, in ms, at most. */
const LONGEST_PAUSE = 30;

/**
 * Makes a function that writes an item together with those of concurrent calls, and answers its own outcome.
 * The first call is written at once, with those made in the same turn; those that arrive meanwhile form the
 * next batch: nobody waits for company.
 *
 * A batch that fails for what may be the fault of one item (a broken constraint, a deadlock, a row that is
 * locked for too long) is halved and tried again until the item stands alone, so that no call fails for its
 * neighbour. A lost connection or a timeout leaves the outcome open, for all of the batch, and nothing is
 * tried again: a COMMIT whose answer was lost may have happened.
 *
 * A batch runs outside of every caller's deadline and cancellation. A caller whose call ends stops waiting:
 * DEADLINE_EXCEEDED or CANCELLED, and its item is not written if it was still waiting. RESOURCE_EXHAUSTED with
 * reason OVERLOADED when too many wait.
 */
export function groupCommit<T, R extends object>(options: GroupCommitOptions<T, R>): (item: T) => Promise<R> {
  const { name, keyOf, room = 4_096 } = options;
  // Whatever a caller carries in its async context must not follow into the batches that its item begins.
  const outside = AsyncLocalStorage.snapshot();
  const queue: Entry<T, R>[] = [];
  let writing = false;

  async function writeAll(): Promise<void> {
    writing = true;
    // What was called in the same breath goes together.
    await Promise.resolve();
    for (let batch = takeBatch(queue, options); batch.length > 0; batch = takeBatch(queue, options))
      await writeBatch(batch, options);
    writing = false;
  }

  return (item) => {
    if (queue.length >= room) return Promise.reject(overloaded(name));
    const { entry, outcome } = enter<T, R>({ item, key: keyOf?.(item) }, currentCall());
    queue.push(entry);
    if (!writing) void outside(writeAll);
    return outcome;
  };
}

/** An item and the caller that waits for it. */
type Entry<T, R> = {
  item: T;
  key: string | undefined;
  /** The caller's trace. */
  parent: ReturnType<typeof context.active> | undefined;
  /** The caller is gone. */
  left: boolean;
  attempts: number;
  resolve: (outcome: R) => void;
  reject: (failure: unknown) => void;
};

function enter<T, R>(
  given: { item: T; key: string | undefined },
  call: CallContext | undefined,
): { entry: Entry<T, R>; outcome: Promise<R> } {
  const { promise, resolve, reject } = Promise.withResolvers<R>();
  const parent = activeTraceId() === undefined ? undefined : context.active();
  const entry = { ...given, parent, left: false, attempts: 0, resolve, reject };
  if (call === undefined) return { entry, outcome: promise };
  const leave = (): void => {
    entry.left = true;
    reject(ended(call));
  };
  if (call.signal.aborted) leave();
  else call.signal.addEventListener('abort', leave, { once: true });
  return { entry, outcome: promise.finally(() => call.signal.removeEventListener('abort', leave)) };
}

/** Takes the next batch from the queue: in order, without those who left, and each key once. */
function takeBatch<T, R extends object>(
  queue: Entry<T, R>[],
  { largest = 256 }: GroupCommitOptions<T, R>,
): Entry<T, R>[] {
  const batch: Entry<T, R>[] = [];
  const keys = new Set<string>();
  for (const entry of queue.splice(0)) {
    if (entry.left) continue;
    const { key } = entry;
    if (batch.length === largest || (key !== undefined && keys.has(key))) queue.push(entry);
    else batch.push(entry);
    if (key !== undefined) keys.add(key);
  }
  return batch;
}

/** Gives every entry an outcome within the timeout. */
async function writeBatch<T, R extends object>(
  batch: readonly Entry<T, R>[],
  options: GroupCommitOptions<T, R>,
): Promise<void> {
  const { name, timeout = 5_000 } = options;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const time = new AbortController();
  const timer = setTimeout(() => {
    time.abort();
    resolve();
  }, timeout);
  await Promise.race([late, writeParts(batch, options, time.signal)]);
  clearTimeout(timer);
  // Those that have an outcome by now keep it.
  for (const entry of batch) entry.reject(tookTooLong(name));
}

/** Writes a batch whole, else in halves, and so on; never rejects. */
async function writeParts<T, R extends object>(
  batch: readonly Entry<T, R>[],
  options: GroupCommitOptions<T, R>,
  time: AbortSignal,
): Promise<void> {
  const parts = [batch];
  for (let part = parts.shift(); part !== undefined && !time.aborted; part = parts.shift()) {
    const failure = await writePart(part, options);
    if (failure === undefined) continue;
    const again = leavesAllOpen(failure) ? [] : divide(part, failure);
    if (again.length === 0) for (const entry of part) entry.reject(failure);
    else if (part.length === 1) await sleep(LONGEST_PAUSE * Math.random());
    parts.push(...again);
  }
}

/** One transaction: settles the entries of a part, or answers why none of them was. */
async function writePart<T, R extends object>(
  part: readonly Entry<T, R>[],
  { name, run, observe }: GroupCommitOptions<T, R>,
): Promise<StatusError | undefined> {
  observe?.(part.length);
  const work = (): Promise<readonly (R | StatusError)[]> => run(part.map(({ item }) => item));
  const parent = part.find((entry) => entry.parent !== undefined)?.parent;
  const attributes = { 'mercer.batch.size': part.length };
  try {
    // The batch shows in the trace of the first caller who has one.
    const outcomes = parent === undefined ? await work() : await withSpan(name, { attributes, parent }, work);
    for (const [index, entry] of part.entries()) settle(entry, outcomes[index]);
    return undefined;
  } catch (error) {
    return fromDatabaseError(error);
  }
}

function settle<T, R>(entry: Entry<T, R>, outcome: R | StatusError | undefined): void {
  if (outcome === undefined) entry.reject(new Error('a batch left out the outcome of an item'));
  else if (outcome instanceof StatusError) entry.reject(outcome);
  else entry.resolve(outcome);
}

/** What is tried again of a part that failed: its halves, or the one entry of it that was in another's way. */
function divide<T, R>(part: readonly Entry<T, R>[], failure: StatusError): (readonly Entry<T, R>[])[] {
  const [first] = part;
  if (first === undefined) return [];
  if (part.length > 1) {
    const half = Math.ceil(part.length / 2);
    return [part.slice(0, half), part.slice(half)];
  }
  first.attempts += 1;
  return wasInTheWay(failure) && first.attempts < ATTEMPTS ? [part] : [];
}

/** A row that somebody else kept for all of the lock timeout is not waited for again: others wait behind it. */
function wasInTheWay({ cause, code }: StatusError): boolean {
  return code === status.ABORTED && sqlState(cause) !== LOCK_NOT_AVAILABLE;
}

/** No item can be blamed, and the transaction may have been committed. */
function leavesAllOpen({ code }: StatusError): boolean {
  return code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
}

function overloaded(name: string): StatusError {
  return new StatusError(status.RESOURCE_EXHAUSTED, `too many calls wait to ${name}`, {
    reason: 'OVERLOADED',
  });
}

function tookTooLong(name: string): StatusError {
  return new StatusError(status.DEADLINE_EXCEEDED, `it took too long to ${name}`, {
    reason: 'DATABASE_TIMEOUT',
  });
}

function ended({ deadline }: CallContext): StatusError {
  if (deadline.getTime() > Date.now())
    return new StatusError(status.CANCELLED, 'the caller has left', { reason: 'CANCELLED' });
  return new StatusError(status.DEADLINE_EXCEEDED, 'the deadline passed', { reason: 'DEADLINE_EXCEEDED' });
}
