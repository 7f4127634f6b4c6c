/** Reads a log file as it grows. */
import { open } from 'node:fs/promises';

/** Longer leaps are cut to their last bytes. */
const MOST_BYTES = 1024 * 1024;

/** A log and how far it was read. */
export type LogReader = {
  /** Whole lines since the last call, the last MiB of them at most; none while there is no file. */
  read: () => Promise<string[]>;
};

/** Reads from the beginning, or only what is written from now on. A file that was set aside begins anew. */
export async function logReader(file: string, { fromEnd = false } = {}): Promise<LogReader> {
  let position = 0;
  const read = async (): Promise<string[]> => {
    const chunk = await readFrom(file, position);
    position = chunk.end;
    return chunk.text.split('\n').slice(0, -1);
  };
  if (fromEnd) await read();
  return { read };
}

async function readFrom(file: string, position: number): Promise<{ text: string; end: number }> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return { text: '', end: 0 };
  await using log = handle;
  const { size } = await log.stat();
  const from = Math.max(size < position ? 0 : position, size - MOST_BYTES);
  const { buffer } = await log.read(Buffer.alloc(size - from), 0, size - from, from);
  const length = buffer.lastIndexOf('\n') + 1;
  return { text: buffer.toString('utf8', 0, length), end: from + length };
}
