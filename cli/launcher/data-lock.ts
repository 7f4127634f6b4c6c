/** One launcher per data folder. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { isAlive } from './running-process.ts';

/** Held while a fabric runs on a data folder. */
export type DataLock = AsyncDisposable;

/** Takes the folder, also from a launcher that died without giving it back. */
export async function lockData(data: string): Promise<DataLock> {
  const file = join(data, 'lock');
  if (!(await take(file))) {
    const holder = Number(await readFile(file, 'utf8').catch(() => ''));
    if (await isLauncher(holder)) {
      throw new CommandError(
        `${data} is in use by a running fabric (process ${holder}): end it with \`mercer down\`, or give another folder with --data`,
      );
    }
    await rm(file, { force: true });
    if (!(await take(file))) throw new CommandError(`${data} is being taken by another launcher`);
  }
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

/** Whether a process id belongs to a launcher, and not to somebody who got the same number later. */
export async function isLauncher(pid: number): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid || !isAlive(pid)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command.includes('cli/main.ts');
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${process.pid}\n`, { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
