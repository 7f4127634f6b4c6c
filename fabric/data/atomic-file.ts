/** Writes files that other processes read, so that they see the whole content or none. */
import { randomUUID } from 'node:crypto';
import { link, rename, unlink, writeFile } from 'node:fs/promises';

/** The owner alone may read: private keys. */
export const SECRET = 0o600;
/** Everyone may read: certificates. */
export const PUBLIC = 0o644;

/** Replaces a file, or makes it. */
export async function replaceFile(file: string, content: string, mode: number): Promise<void> {
  await rename(await writeBeside(file, content, mode), file);
}

/** Makes a file unless it exists already: of several processes exactly one wins, the others leave it as it is. */
export async function createFile(file: string, content: string, mode: number): Promise<void> {
  const draft = await writeBeside(file, content, mode);
  try {
    await link(draft, file);
  } catch (error) {
    if (!isExisting(error)) throw error;
  } finally {
    await unlink(draft);
  }
}

async function writeBeside(file: string, content: string, mode: number): Promise<string> {
  const draft = `${file}.${randomUUID()}.tmp`;
  await writeFile(draft, content, { mode, flag: 'wx', flush: true });
  return draft;
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
