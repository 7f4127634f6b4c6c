/** Runs a PostgreSQL 18 of this machine's own, from the npm package, on a folder that outlives it. */
import { resolve } from 'node:path';
import { findBinaries } from './binaries.ts';
import { openCluster } from './cluster.ts';
import { demandPassage, makeReachable } from './passage.ts';
import { settledPostmaster } from './postmaster.ts';
import { adoptServer, launchServer } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';
import { serverUser } from './server-user.ts';
import { superuserPassword } from './superuser-password.ts';

/** Where it lives and listens. */
export type PostgresOptions = {
  /** Holds the cluster and the superuser's password; made when missing. */
  dataDir: string;
  /** On 127.0.0.1. */
  port: number;
  /** Gets what PostgreSQL says, at its end. */
  logFile: string;
  /** Of the superuser, for a new cluster; made and kept in `dataDir` (0600) when absent. */
  password?: string;
};

/** A server that accepts connections. */
export type Postgres = ServerProcess & {
  port: number;
  /** The superuser's URL of the database `postgres`. */
  adminUrl: string;
  /** Whether it was running already: whoever started it had died without stopping it. */
  adopted: boolean;
};

/**
 * Starts PostgreSQL and returns when it accepts connections. It runs in a process group of its own, so that a
 * terminal's Ctrl-C does not reach it. As root it runs as the user `postgres`. Rejects with one sentence: a folder is
 * closed to that user, the port is taken, the data folder is in use, the disk is full, or PostgreSQL's last words.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const dataDir = resolve(options.dataDir);
  try {
    return await start({ ...options, dataDir });
  } catch (error) {
    throw isDiskFull(error) ? new Error(`no disk space left in ${dataDir}`, { cause: error }) : error;
  }
}

async function start({ dataDir, port, logFile, ...options }: PostgresOptions): Promise<Postgres> {
  const binaries = findBinaries();
  const user = await serverUser();
  await makeReachable(dataDir);
  await Promise.all([demandPassage(dataDir), demandPassage(binaries.root)]);
  const password = options.password ?? (await superuserPassword(dataDir));
  const adminUrl = `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const cluster = await openCluster({ initdb: binaries.initdb, dataDir, user, password });
  const living = await settledPostmaster(cluster);
  if (living !== undefined) {
    const server = await adoptServer(living, { cluster, port, adminUrl });
    return { ...server, port, adminUrl, adopted: true };
  }
  const server = await launchServer({ postgres: binaries.postgres, cluster, port, logFile, user });
  return { ...server, port, adminUrl, adopted: false };
}

/** ENOSPC of our own writes, or its words in what PostgreSQL's programs wrote. */
function isDiskFull(error: unknown): boolean {
  return error instanceof Error && /\bENOSPC\b|No space left on device/u.test(error.message);
}
