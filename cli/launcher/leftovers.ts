/** Ends what a launcher that died has left running. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLauncher } from './data-lock.ts';
import { removeState, readState } from './fabric-state.ts';
import type { ProcessEntry } from './fabric-state.ts';
import { PROGRAMS, SERVICE_NAMES } from './processes.ts';
import { isAlive, killGroup } from './running-process.ts';

/** Time for an orderly end, in ms. */
const GRACE = 5_000;
const ASK_EVERY = 50;

/**
 * Ends the processes that the state below `data` names, gateway first, and forgets the state. Returns how many
 * there were; none while their launcher lives.
 */
export async function endLeftovers(data: string): Promise<number> {
  const state = await readState(data);
  if (state === undefined || (await isLauncher(state.launcher))) return 0;
  const rank = ({ service }: ProcessEntry): number => SERVICE_NAMES.indexOf(service);
  let ended = 0;
  for (const entry of state.processes.toSorted((one, other) => rank(other) - rank(one))) {
    if (await endLeftover(entry)) ended += 1;
  }
  await removeState(data);
  return ended;
}

async function endLeftover({ pid, service }: ProcessEntry): Promise<boolean> {
  if (pid === undefined || !isAlive(pid) || !(await isOurs(pid, service))) return false;
  process.kill(pid, service === 'postgres' ? 'SIGINT' : 'SIGTERM');
  for (let waited = 0; isAlive(pid) && waited < GRACE; waited += ASK_EVERY) await sleep(ASK_EVERY);
  if (isAlive(pid)) killGroup(pid);
  return true;
}

/** Process ids are given anew: the command line must be the one that was started. */
async function isOurs(pid: number, service: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  const main = PROGRAMS.find((program) => program.service === service)?.main ?? 'postgres';
  return command === undefined || command.includes(main);
}
