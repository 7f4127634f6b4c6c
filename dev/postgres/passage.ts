/** Lets PostgreSQL's own user reach its folder when we run as root. */
import { chmod, mkdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';

/** The right of others to pass through a folder. */
const PASS = 0o001;

/** Makes a folder that PostgreSQL's user can reach; what was made here, and the folder itself, is opened for passing. */
export async function makeReachable(folder: string): Promise<void> {
  const top = await mkdir(folder, { recursive: true, mode: 0o711 });
  if (process.getuid?.() !== 0) return;
  for (const made of pathsBetween(top ?? folder, folder)) {
    const { mode } = await stat(made);
    if ((mode & PASS) === 0) await chmod(made, (mode & 0o7777) | PASS);
  }
}

/** As root, rejects with a sentence that names the topmost folder on the way to `path` that others may not pass. */
export async function demandPassage(path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const folder of pathsBetween(sep, resolve(path))) {
    const { mode } = await stat(folder);
    if ((mode & PASS) === 0) {
      throw new Error(
        `${folder} is closed to other users, and PostgreSQL cannot run as root: open it with \`chmod o+x ${folder}\`, or run as another user`,
      );
    }
  }
}

/** From a folder down to one below it, both included. */
function pathsBetween(top: string, bottom: string): string[] {
  const steps = relative(top, bottom)
    .split(sep)
    .filter((step) => step !== '');
  return steps.reduce<string[]>((paths, step) => [...paths, join(paths.at(-1) ?? top, step)], [top]);
}
