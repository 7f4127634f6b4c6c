/** Work that a process repeats in the background until it is stopped. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';

/** Work that is being repeated. */
export type Background = {
  /** Begins no further round and waits for the one under way, 3 s at most. */
  stop(): Promise<void>;
};

/** What to repeat. */
export type BackgroundOptions = {
  /** For the log, "recovery". */
  name: string;
  /** Between two rounds, in ms; each pause is up to a fifth shorter or longer, so that replicas drift apart. */
  pause: number;
  log: Logger;
};

/** In ms. */
const LONGEST_STOP = 3_000;

/** Runs rounds one after the other; a round that fails is logged, and the next one comes all the same. */
export function inBackground(
  { name, pause, log }: BackgroundOptions,
  round: (signal: AbortSignal) => Promise<void>,
): Background {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function repeat(): Promise<void> {
    while (!signal.aborted) {
      try {
        await round(signal);
      } catch (error) {
        log.warn({ event: 'background_failed', work: name, err: error }, `${name} failed and goes on`);
      }
      const rest = pause * (0.8 + 0.4 * Math.random());
      await sleep(rest, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  const ended = repeat();
  return {
    async stop() {
      stopping.abort();
      await Promise.race([ended, sleep(LONGEST_STOP, undefined, { ref: false })]);
    },
  };
}
