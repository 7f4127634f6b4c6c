/** Starts a stand-in as its own process and reads what it writes, for tests. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

/** A running stand-in. */
export type Running = {
  url: string;
  child: ChildProcess;
  /** Everything written so far: parsed log lines, and lines of standard error as texts. */
  lines: Record<string, unknown>[];
  errors: string[];
  /** Sends a signal; the exit code, null after SIGKILL. */
  end: (signal?: NodeJS.Signals) => Promise<number | null>;
};

/** A start that takes longer, in ms, has failed. */
const LONGEST_START = 15_000;

/** A new folder, gone after the file's tests. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mercer-dev-'));
  after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs `main` on a free port until the file's tests are over; resolves when it says that it listens. */
export async function startStandIn(main: string, env: Record<string, string>): Promise<Running> {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'] ?? '', MERCER_HTTP_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Record<string, unknown>[] = [];
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const { promise: listening, resolve, reject } = Promise.withResolvers<number>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    lines.push(entry);
    if (entry['event'] === 'listening') resolve(Number(entry['port']));
  });
  child.once('exit', () => reject(new Error(`it ended: ${JSON.stringify(lines)} ${errors.join(' ')}`)));
  const timer = setTimeout(() => reject(new Error('it does not listen')), LONGEST_START);
  const end = ending(child);
  after(() => end('SIGKILL'));
  const port = await listening.finally(() => clearTimeout(timer));
  return { url: `http://127.0.0.1:${port}`, child, lines, errors, end };
}

function ending(child: ChildProcess): Running['end'] {
  return async (signal = 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    return child.exitCode;
  };
}
