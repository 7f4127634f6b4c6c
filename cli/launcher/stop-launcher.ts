/** Asks a launcher to stop its fabric and waits until it is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import { isAlive } from './running-process.ts';

/** The launcher promises to be gone within 10 s; ms. */
const PATIENCE = 12_000;
const ASK_EVERY = 50;

/** Rejects with a CommandError when the launcher does not keep its promise. */
export async function stopLauncher(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; isAlive(pid); waited += ASK_EVERY) {
    if (waited > PATIENCE) throw new CommandError(`the launcher (process ${pid}) does not end`);
    await sleep(ASK_EVERY);
  }
}
