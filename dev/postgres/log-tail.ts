/** The end of a log file. */
import { open, stat } from 'node:fs/promises';

/** Bytes that are looked at, and lines that are told. */
const TAIL = 8_192;
const LINES = 5;

/** The length of a file in bytes; 0 when there is none. */
export async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The last five lines that were written after a position, as one line; empty when nothing was. */
export async function lastLines(file: string, from: number): Promise<string> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const start = Math.max(from, size - TAIL);
  const length = Math.max(0, size - start);
  const { buffer } = await handle.read(Buffer.alloc(length), 0, length, start);
  const lines = buffer
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.slice(-LINES).join(' ');
}
