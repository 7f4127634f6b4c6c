/** Secrets that the launcher makes once and keeps with the data. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a fabric on one machine needs to keep to itself. */
export type Secrets = {
  /** Signs page tokens. */
  pageToken: string;
  /** Signs the events of the stand-in acquirer. */
  acquirerEvents: string;
  /** Lets the command line ask the stand-in identity provider for tokens. */
  developer: string;
  /** Password of PostgreSQL's superuser; those of the other roles derive from it. */
  postgres: string;
};

/** Reads the secrets below `data`, making those that are missing. */
export async function openSecrets(data: string): Promise<Secrets> {
  const directory = join(data, 'secrets');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const secret = (name: string): Promise<string> => readOrMake(join(directory, name));
  return {
    pageToken: await secret('page-token'),
    acquirerEvents: await secret('acquirer-events'),
    developer: await secret('developer'),
    postgres: await secret('postgres'),
  };
}

async function readOrMake(file: string): Promise<string> {
  try {
    await writeFile(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFile(file, 'utf8');
}
