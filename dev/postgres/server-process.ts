/** The process of a PostgreSQL server: launched or taken over, and ended. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { lastLines, sizeOf } from './log-tail.ts';
import { demandFree } from './port.ts';
import { isAlive, readPostmaster } from './postmaster.ts';
import type { Postmaster } from './postmaster.ts';
import { serverArguments } from './server-settings.ts';
import type { ServerUser } from './server-user.ts';

/** How a process ended; both are null for one that was started by somebody else. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** A server that runs. */
export type ServerProcess = {
  /** Of the postmaster. */
  pid: number;
  /** Resolves when it is gone; never rejects. */
  exited: Promise<Exit>;
  /** Disconnects clients, rolls back what is open and ends in order; after 8 s at once. Resolves when it is gone. */
  stop: () => Promise<void>;
  /** Ends it at once; the next start recovers. */
  kill: () => void;
};

/** A cluster that no server runs on. */
export type LaunchOptions = {
  /** The program. */
  postgres: string;
  cluster: string;
  port: number;
  logFile: string;
  user: ServerUser;
};

/** Recovery of a big cluster takes a while; in ms. */
const LONGEST_START = 60_000;
/** Backends of a killed server notice its death within a moment and hold its memory until then; in ms. */
const LONGEST_MOURNING = 5_000;
const LONGEST_STOP = 8_000;
const LONGEST_ANSWER = 2_000;
const ASK_EVERY = 25;

/** Starts a server and waits until it accepts connections. */
export async function launchServer(options: LaunchOptions): Promise<ServerProcess> {
  const late = Date.now() + LONGEST_MOURNING;
  for (;;) {
    await demandFree(options.port);
    const from = await sizeOf(options.logFile);
    const child = await launch(options);
    const server = processOf(child);
    if (await becomesReady(child, options.cluster)) return server;
    server.kill();
    const words = await lastLines(options.logFile, from);
    const mourning = words.includes('pre-existing shared memory block');
    if (!mourning || Date.now() > late) {
      const said = words === '' ? 'it said nothing' : words;
      throw new Error(`PostgreSQL did not start: ${said} (log: ${options.logFile})`);
    }
    await sleep(200);
  }
}

/** Takes over a server that runs on the cluster; rejects when it listens elsewhere or does not know us. */
export async function adoptServer(
  { pid, port: actual, ready }: Postmaster,
  { cluster, port, adminUrl }: { cluster: string; port: number; adminUrl: string },
): Promise<ServerProcess> {
  if (actual !== port || !ready || !(await answers(adminUrl))) {
    throw new Error(
      `the data folder ${cluster} is in use: PostgreSQL runs on it as process ${pid}, port ${actual}`,
    );
  }
  const exited = gone(pid);
  return { pid, exited, ...endings((signal) => void (isAlive(pid) && process.kill(pid, signal)), exited) };
}

async function launch({ postgres, cluster, port, logFile, user }: LaunchOptions): Promise<ChildProcess> {
  await using log = await open(logFile, 'a', 0o600);
  const child = spawn(postgres, serverArguments(cluster, port), {
    ...user,
    cwd: cluster,
    env: { LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  await once(child, 'spawn');
  return child;
}

function processOf(child: ChildProcess): ServerProcess {
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  child.once('exit', (code, signal) => resolve({ code, signal }));
  return { pid: child.pid ?? 0, exited, ...endings((signal) => void child.kill(signal), exited) };
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one; SIGTERM would wait for clients to leave. */
function endings(
  send: (signal: NodeJS.Signals) => void,
  exited: Promise<Exit>,
): Pick<ServerProcess, 'stop' | 'kill'> {
  const kill = (): void => send('SIGQUIT');
  const stop = async (): Promise<void> => {
    send('SIGINT');
    const late = setTimeout(kill, LONGEST_STOP);
    await exited;
    clearTimeout(late);
  };
  return { stop, kill };
}

/** Reads what pg_ctl reads: the server writes its state into its own folder. */
async function becomesReady(child: ChildProcess, cluster: string): Promise<boolean> {
  const late = Date.now() + LONGEST_START;
  while (child.exitCode === null && child.signalCode === null && Date.now() < late) {
    const written = await readPostmaster(cluster);
    if (written?.pid === child.pid && written?.ready === true) return true;
    await sleep(ASK_EVERY);
  }
  return false;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: LONGEST_ANSWER,
    query_timeout: LONGEST_ANSWER,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function gone(pid: number): Promise<Exit> {
  while (isAlive(pid)) await sleep(200);
  return { code: null, signal: null };
}
