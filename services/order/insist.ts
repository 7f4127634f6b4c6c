/** Asks again, by the same key, as long as the outcome of a call is open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { leavesOutcomeOpen } from '#fabric/data/idempotency.ts';

/** Pauses between attempts, in ms, each twice the last. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;
/** For how long attempts are begun, in ms; a peer that was replaced is found again within it. */
const PATIENCE = 800;

/**
 * Makes an idempotent call until it says what happened; after `patience` ms the last failure is thrown,
 * which leaves the outcome open. A refusal is thrown at once.
 */
export async function insist<T>(call: () => Promise<T>, patience: number = PATIENCE): Promise<T> {
  const until = Date.now() + patience;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await call();
    } catch (error) {
      if (!leavesOutcomeOpen(error) || Date.now() + pause > until) throw error;
    }
    await sleep(pause);
  }
}
