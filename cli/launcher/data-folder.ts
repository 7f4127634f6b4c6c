/** The folder that holds all files of a fabric. */
import { statfs } from 'node:fs/promises';
import { demandPassage, makeReachable } from '../../dev/postgres/passage.ts';
import { CommandError } from '../command-error.ts';

/** A new fabric takes 80 MB; below this many a start is not worth trying. */
const LEAST_SPACE = 100;
const MB = 1024 * 1024;

/** Makes the folder, or rejects with a sentence: no space, no permission, closed to PostgreSQL's user. */
export async function prepareData(data: string): Promise<void> {
  await makeReachable(data);
  const { bavail, bsize } = await statfs(data);
  const free = Math.floor((bavail * bsize) / MB);
  if (free < LEAST_SPACE) {
    throw new CommandError(`no disk space left: ${data} has ${free} MB free, ${LEAST_SPACE} MB are needed`);
  }
  await demandPassage(data);
}
