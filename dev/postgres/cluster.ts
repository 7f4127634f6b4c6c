/** Makes a database cluster: the folder that a PostgreSQL server runs on. */
import { execFile } from 'node:child_process';
import { chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerUser } from './server-user.ts';

/** Where and for whom. */
export type ClusterOptions = {
  /** The program. */
  initdb: string;
  /** A folder of ours that the cluster is made in. */
  dataDir: string;
  user: ServerUser;
  /** Of the superuser `postgres`. */
  password: string;
};

/** initdb takes a second, and longer on a busy disk; in ms. */
const LONGEST = 120_000;
const run = promisify(execFile);

/**
 * The cluster below `dataDir`, made when there is none. It is made under another name and renamed when whole, so that
 * one that was interrupted is never taken for a cluster.
 */
export async function openCluster(options: ClusterOptions): Promise<string> {
  const cluster = join(options.dataDir, 'cluster');
  if (await exists(join(cluster, 'PG_VERSION'))) return cluster;
  const draft = `${cluster}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await give(draft, options.user);
  await initialise(draft, options);
  await rename(draft, cluster);
  return cluster;
}

async function initialise(
  folder: string,
  { initdb, dataDir, user, password }: ClusterOptions,
): Promise<void> {
  const passwordFile = join(dataDir, 'initdb-password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await give(passwordFile, user);
  const options = [
    `--pgdata=${folder}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    // Unicode's rules for upper and lower case, the same on every machine.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ];
  try {
    await run(initdb, options, { ...user, cwd: folder, env: { LC_ALL: 'C' }, timeout: LONGEST });
  } catch (cause) {
    throw new Error(`PostgreSQL could not make its cluster: ${complaint(cause)}`, { cause });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** What went wrong, of all that initdb wrote; its last lines tell only that it cleans up. */
function complaint(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const written = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : '';
  const lines = written.split('\n').filter((line) => /\b(?:error|FATAL|PANIC): /u.test(line));
  return lines.length === 0 ? error.message : lines.slice(0, 3).join(' ');
}

async function give(path: string, { uid, gid }: ServerUser): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
