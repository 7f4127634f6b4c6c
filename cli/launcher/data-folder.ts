/** The folder that holds all files of a fabric. */
import { chmod, mkdir, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError } from '../command-error.ts';

/** A new database cluster takes 50 MB; below this many bytes a start is not worth trying. */
const LEAST_SPACE = 200 * 1024 * 1024;
/** The right of others to pass through a folder. */
const PASS = 0o001;

/** Makes the folder, or rejects with a sentence: no space, no permission, closed to PostgreSQL's user. */
export async function prepareData(data: string): Promise<void> {
  await mkdir(data, { recursive: true, mode: 0o755 });
  const { bavail, bsize } = await statfs(data);
  const free = bavail * bsize;
  if (free < LEAST_SPACE) {
    throw new CommandError(
      `no disk space left: ${data} has ${Math.round(free / 1024 / 1024)} MB free, 200 MB are needed`,
    );
  }
  // PostgreSQL refuses to run as root; its own user then has to get to the folder.
  if (process.getuid?.() !== 0) return;
  await openToPass(data);
  await demandPassage(dirname(data));
}

/**
 * As root, rejects when a folder on the way to `path` is closed to other users, and so to PostgreSQL's own.
 */
export async function demandPassage(path: string): Promise<void> {
  const closed = await closedFolder(path);
  if (closed === undefined) return;
  throw new CommandError(
    `${closed} is closed to other users, and PostgreSQL cannot run as root: open it with \`chmod o+x ${closed}\`, or run as another user`,
  );
}

async function openToPass(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & PASS) === 0) await chmod(folder, (mode & 0o777) | PASS);
}

/** The topmost folder on the way to a path, itself included, that others may not pass. */
async function closedFolder(path: string): Promise<string | undefined> {
  const parent = dirname(path);
  const above = parent === path ? undefined : await closedFolder(parent);
  if (above !== undefined) return above;
  const { mode } = await stat(path);
  return (mode & PASS) === 0 ? path : undefined;
}
