/** A process that was started: its id, its end, and the ways to end it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** How a process ended. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** A started process. */
export type RunningProcess = {
  pid: number;
  /** Resolves when it is gone; never rejects. */
  exited: Promise<Exit>;
  /** Asks it to end in order. */
  stop: () => void;
  /** Ends it at once, with its children. */
  kill: () => void;
};

/** What to start. */
export type ProgramOptions = {
  file: string;
  args: readonly string[];
  /** The whole environment; nothing is inherited. */
  environment: Readonly<Record<string, string>>;
  directory: string;
  /** Gets what it writes, at its end. */
  logFile: string;
};

/**
 * Starts a program in a process group of its own, so that a terminal's Ctrl-C does not reach it. Rejects when
 * it cannot be started at all.
 */
export async function startProgram(options: ProgramOptions): Promise<RunningProcess> {
  await using log = await open(options.logFile, 'a', 0o600);
  const child = spawn(options.file, options.args, {
    cwd: options.directory,
    env: { ...options.environment },
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  await once(child, 'spawn');
  return asRunning(child);
}

/** How a child process looks to the supervisor. */
export function asRunning(child: ChildProcess, stopSignal: NodeJS.Signals = 'SIGTERM'): RunningProcess {
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  child.once('exit', (code, signal) => resolve({ code, signal }));
  const pid = child.pid ?? 0;
  return { pid, exited, stop: () => void child.kill(stopSignal), kill: () => killGroup(pid) };
}

/** Whether a process lives; one that belongs to somebody else counts, one that only waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !isZombie(pid);
}

/** In containers, process 1 may take seconds to reap orphans. Systems without /proc are believed not to. */
function isZombie(pid: number): boolean {
  try {
    // proc(5): "pid (command) state ..."; the command may itself hold parentheses.
    return /\) Z [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Kills a process group; one that is gone already is no failure. */
export function killGroup(leader: number): void {
  if (leader <= 1) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
