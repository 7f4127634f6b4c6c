/** Ends a word of the command line whose reader has left, as `head` does. */
import { OK } from './exit-codes.ts';

/**
 * Exits 0 at the first EPIPE of standard output. A word that looks after processes, which shows by its hearing
 * SIGINT, goes on unheard instead: only it can stop them in order.
 */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (process.listenerCount('SIGINT') === 0) process.exit(OK);
  });
}
