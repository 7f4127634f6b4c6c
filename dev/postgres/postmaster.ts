/** What a data folder tells of the server that runs, or ran, on it. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The lines of `postmaster.pid` that matter here. */
export type Postmaster = { pid: number; port: number; ready: boolean };

/** Line numbers in `postmaster.pid` (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*), from 0. */
const PID = 0;
const PORT = 3;
const STATUS = 7;
/** A server that starts or stops has done so after this many ms, or is taken as it is. */
const LONGEST_CHANGE = 10_000;
const ASK_EVERY = 100;

/** The server that lives on a cluster, once it is neither starting nor stopping. */
export async function settledPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const late = Date.now() + LONGEST_CHANGE;
  for (;;) {
    const living = await livingPostmaster(cluster);
    if (living === undefined || living.ready || Date.now() > late) return living;
    await sleep(ASK_EVERY);
  }
}

/** The server that wrote itself into a cluster's folder; undefined without one. It may be dead. */
export async function readPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number.parseInt(lines[PID] ?? '', 10);
  if (!(pid > 0)) return undefined;
  const port = Number.parseInt(lines[PORT] ?? '', 10);
  return { pid, port, ready: lines[STATUS]?.trim() === 'ready' };
}

/**
 * The server that lives on a cluster. One that died leaves its file behind, and by now its process id may be somebody
 * else's, for whom PostgreSQL would wait in vain: then the file is removed.
 */
async function livingPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const written = await readPostmaster(cluster);
  if (written === undefined) return undefined;
  if (isAlive(written.pid) && (await serves(written.pid, cluster))) return written;
  await rm(join(cluster, 'postmaster.pid'), { force: true });
  return undefined;
}

/** Whether a process lives; one that belongs to somebody else counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Where the system does not tell command lines, any process is taken for the server. */
async function serves(pid: number, cluster: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command.split('\0').includes(cluster);
}
