/** The superuser's password, made once and kept beside its cluster. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile, SECRET } from '#fabric/data/atomic-file.ts';

/** Reads it from `dataDir`, where it is made when missing; readable by its owner alone. */
export async function superuserPassword(dataDir: string): Promise<string> {
  const file = join(dataDir, 'superuser-password');
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined) return kept;
  await createFile(file, randomBytes(32).toString('base64url'), SECRET);
  return readFile(file, 'utf8');
}
