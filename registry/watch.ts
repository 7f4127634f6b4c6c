/** The instances of a service as they change: the whole state at once and after each change. */
import type { LeaseStore } from './leases.ts';

/**
 * Yields once for now and once for every change until the signal aborts. Changes that come faster than they
 * are taken are one: each reader sees the latest state, never a queue of old ones.
 */
export async function* changesOf(
  leases: LeaseStore,
  service: string,
  signal: AbortSignal,
): AsyncIterable<void> {
  let next = Promise.withResolvers<void>();
  const wake = (): void => next.resolve();
  const unsubscribe = leases.subscribe((changed) => {
    if (changed === service) wake();
  });
  signal.addEventListener('abort', wake, { once: true });
  try {
    while (!signal.aborted) {
      next = Promise.withResolvers<void>();
      yield;
      await next.promise;
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', wake);
  }
}
