/** Repeats an exchange with the acquirer while its outcome is open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';

const ATTEMPTS = 6;
const FIRST_PAUSE = 100;

/**
 * Runs an attempt until it says what happened, at most 6 times, with pauses from 100 ms on, each twice the
 * last. The attempt must be safe to repeat. Rejects with the last UNAVAILABLE, or with DEADLINE_EXCEEDED when
 * the signal ends it; any other failure is an outcome and is passed on at once.
 */
export async function whileOpen<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw outOfTime(error);
      if (!isOpenEnd(error) || round === ATTEMPTS) throw error;
      await pause(FIRST_PAUSE * 2 ** (round - 1), signal);
    }
  }
}

function isOpenEnd(error: unknown): boolean {
  return error instanceof StatusError && error.code === status.UNAVAILABLE;
}

async function pause(length: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(length, undefined, { signal });
  } catch (error) {
    throw outOfTime(error);
  }
}

function outOfTime(cause: unknown): StatusError {
  return new StatusError(status.DEADLINE_EXCEEDED, 'the acquirer did not answer in time', {
    reason: 'DEADLINE_EXCEEDED',
    cause,
  });
}
