/** Writes a file so that a reader sees all of it or nothing. */
import { rename, writeFile } from 'node:fs/promises';

/** Replaces a file with JSON, readable by its owner alone. */
export async function writeWholeJson(file: string, content: unknown): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, file);
}
