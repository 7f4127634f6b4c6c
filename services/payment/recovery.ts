/** Finishes in the background what calls left unfinished: charges without an outcome, refunds not made. */
import { inBackground } from '#fabric/process/background.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Acquirer } from './acquirer.ts';
import { isOpen, pauseAfter } from './domain.ts';
import type { StoredPayment } from './entities.ts';
import { recoveryFailed } from './events.ts';
import { giveBackAll } from './give-back.ts';
import type { RecoveryQueue, Unfinished } from './recovery-queue.ts';
import { keyOf, settle } from './settle.ts';
import type { Dependencies } from './settle.ts';
import { undoCharge } from './undo.ts';

/** What it stands on. */
export type RecoveryOptions = Dependencies & { queue: RecoveryQueue };

/** A recovery at work. */
export type Recovery = {
  /** Looks now: something became due. */
  wake: () => void;
  /** How many payments could not be finished for long. */
  stuck: () => number;
  stop: () => Promise<void>;
};

/** Payments that are worked on at once; each needs a connection for moments only. */
const BATCH = 8;
/** Batches in one round. */
const MOST_BATCHES = 100;
/** In ms: between two rounds. */
const PAUSE = 1_000;
/** In ms: for one payment, and until another process may try it. */
const LONGEST_TRY = 8_000;
const LEASE = 10_000;
/** In ms: a charge that the acquirer does not know is left to its order for so long, which may ask again. */
const LEFT_TO_ORDER = 60_000;
/** Rounds between two counts of those that are stuck. */
const COUNT_EVERY = 10;

/** Begins to look for unfinished payments; of several replicas each finds others. */
export function startRecovery(options: RecoveryOptions): Recovery {
  const { queue, log } = options;
  const stopping = new AbortController();
  let rounds = 0;
  let stuck = 0;
  const round = async (signal: AbortSignal): Promise<void> => {
    if (rounds % COUNT_EVERY === 0) stuck = await queue.stuck();
    rounds += 1;
    await recoverDue(options, signal);
  };
  let looking = false;
  let again = false;
  const look = async (): Promise<void> => {
    again = true;
    if (looking) return;
    looking = true;
    while (again && !stopping.signal.aborted) {
      again = false;
      // What fails now is still due at the next round, which tells of it.
      await recoverDue(options, stopping.signal).catch(() => undefined);
    }
    looking = false;
  };
  const background = inBackground({ name: 'payment recovery', pause: PAUSE, log }, round);
  return {
    wake: () => void look(),
    stuck: () => stuck,
    stop: async () => {
      stopping.abort();
      await background.stop();
    },
  };
}

/** One round: looks at all unfinished payments that are due. */
export async function recoverDue(options: RecoveryOptions, signal: AbortSignal): Promise<void> {
  for (let batch = 0; batch < MOST_BATCHES && !signal.aborted; batch += 1) {
    const due = await options.queue.take(BATCH, LEASE);
    await Promise.all(due.map((unfinished) => recover(options, unfinished, signal)));
    if (due.length < BATCH) return;
  }
}

async function recover(options: RecoveryOptions, unfinished: Unfinished, over: AbortSignal): Promise<void> {
  const { store, queue, log } = options;
  const { orderId, look } = unfinished;
  const signal = AbortSignal.any([over, AbortSignal.timeout(LONGEST_TRY)]);
  try {
    const payment = await store.findByOrder(orderId);
    if (payment !== undefined) await finish(options, payment, signal);
  } catch (error) {
    recoveryFailed(log, orderId, error);
  }
  const now = await store.findByOrder(orderId);
  const pause = now && pauseAfter(look, now);
  await queue.putBack(unfinished, pause === undefined ? undefined : pause * (0.8 + 0.4 * Math.random()));
}

async function finish(options: RecoveryOptions, payment: StoredPayment, signal: AbortSignal): Promise<void> {
  const { orderId, state, undone } = payment;
  if (undone || state === 'BARRED') await undoCharge(options, orderId, signal).catch(unlessNone);
  else if (isOpen(state)) await finishCharge(options, orderId, signal);
  else await giveBackAll(options, payment, signal);
}

/** Asks by the same key, and never charges: only the order's own call has the customer's word for it. */
async function finishCharge(
  options: RecoveryOptions & { acquirer: Acquirer },
  orderId: string,
  signal: AbortSignal,
): Promise<void> {
  const charge = await options.acquirer.findCharge(keyOf(orderId), signal);
  if (charge === undefined) await options.store.bar(orderId, LEFT_TO_ORDER);
  else await settle(options, orderId, charge);
}

function unlessNone(error: unknown): void {
  if (!(error instanceof StatusError && error.reason === 'CHARGE_NOT_FOUND')) throw error;
}
