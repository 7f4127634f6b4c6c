/** The folder that holds all files of a fabric. */
import { statfs } from 'node:fs/promises';
import { demandPassage, makeReachable } from '../../dev/postgres/passage.ts';
import { CommandError } from '../command-error.ts';

/** A new database cluster takes 50 MB; below this many bytes a start is not worth trying. */
const LEAST_SPACE = 200 * 1024 * 1024;
/** Makes the folder, or rejects with a sentence: no space, no permission, closed to PostgreSQL's user. */
export async function prepareData(data: string): Promise<void> {
  await makeReachable(data);
  const { bavail, bsize } = await statfs(data);
  const free = bavail * bsize;
  if (free < LEAST_SPACE) {
    throw new CommandError(
      `no disk space left: ${data} has ${Math.round(free / 1024 / 1024)} MB free, 200 MB are needed`,
    );
  }
  await demandPassage(data);
}
