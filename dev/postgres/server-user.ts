/** The user that PostgreSQL runs as, because it refuses to run as root. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What `spawn` takes; empty: as who we are. */
export type ServerUser = { uid?: number; gid?: number };

/** Looking up or making a user takes no longer, in ms. */
const LONGEST = 10_000;
const run = promisify(execFile);

/** Ourselves, or for root the system's user `postgres`, made when there is none. */
export async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  return (await lookUp()) ?? (await make());
}

async function lookUp(): Promise<Required<ServerUser> | undefined> {
  try {
    const [uid, gid] = await Promise.all([ask('-u'), ask('-g')]);
    return { uid, gid };
  } catch {
    return undefined;
  }
}

async function ask(what: '-u' | '-g'): Promise<number> {
  const { stdout } = await run('id', [what, 'postgres'], { timeout: LONGEST });
  return Number.parseInt(stdout, 10);
}

async function make(): Promise<Required<ServerUser>> {
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin'];
  try {
    await run('useradd', [...options, 'postgres'], { timeout: LONGEST });
  } catch (cause) {
    throw new Error('PostgreSQL cannot run as root, and no user `postgres` could be made', { cause });
  }
  const user = await lookUp();
  if (user === undefined) throw new Error('the user `postgres` was made and cannot be found');
  return user;
}
