/** What a process said before it ended, in one line. */
import { open } from 'node:fs/promises';

const TAIL = 16_384;
const LONGEST = 300;
/** Levels of a line that explains an end. */
const ERRORS = new Set<unknown>(['error', 'fatal']);

/** The last error of a log of JSON lines, else the last line that says something; empty without a log. */
export async function lastWords(logFile: string): Promise<string> {
  const lines = (await tail(logFile)).split('\n').filter((line) => /\w/.test(line));
  const errors = lines.map(errorOf).filter((message) => message !== undefined);
  const words = errors.at(-1) ?? messageOf(lines.at(-1) ?? '');
  return words.length > LONGEST ? `${words.slice(0, LONGEST)} ...` : words;
}

async function tail(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8');
  } catch {
    return '';
  }
}

function errorOf(line: string): string | undefined {
  const entry = parse(line);
  if (entry !== undefined) return ERRORS.has(entry['level']) ? String(entry['msg']) : undefined;
  // PostgreSQL's and Node's own words are plain text.
  return /^\s*\w*Error\b.*: |\b(FATAL|PANIC): /.test(line) ? line.trim() : undefined;
}

function messageOf(line: string): string {
  const message = parse(line)?.['msg'];
  return typeof message === 'string' ? message : line.trim();
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
