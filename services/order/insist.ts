/** Asks again, by the same key, as long as the outcome of a call is open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { leavesOutcomeOpen } from '#fabric/data/idempotency.ts';

/** Waits between the attempts, in ms; a peer that was replaced is found again within them. */
const PAUSES = [50, 200, 500];

/**
 * Makes an idempotent call up to four times. The last failure is thrown; it leaves the outcome open unless
 * it is a refusal, which ends the attempts at once.
 */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await call();
    } catch (error) {
      if (!leavesOutcomeOpen(error)) throw error;
    }
    await sleep(pause);
  }
  return call();
}
