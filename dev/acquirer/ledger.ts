/** The acquirer's own file of what happened: one JSON line an entry, only ever appended. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Entry } from './domain.ts';

/** An open ledger. */
export type Ledger = {
  /** What the file held when it was opened. */
  entries: Entry[];
  /** Takes an entry; entries that come while one is being written are written together, in order. */
  append: (entry: Entry) => void;
  /** Resolves when everything taken so far is on disk; rejects for ever once a write has failed. */
  flushed: () => Promise<void>;
  close: () => Promise<void>;
};

const LINE_END = 0x0a;

/**
 * Opens or makes the file, readable by its owner alone. A last line that a crash cut short is dropped: nobody was
 * answered on its strength. A line that is broken elsewhere rejects.
 */
export async function openLedger(file: string): Promise<Ledger> {
  await using stack = new AsyncDisposableStack();
  const handle = stack.use(await open(file, 'a+', 0o600));
  await syncFolder(file);
  const entries = await readEntries(handle);
  stack.move();
  return { entries, ...appender(handle) };
}

async function readEntries(handle: FileHandle): Promise<Entry[]> {
  const bytes = await handle.readFile();
  const whole = bytes.lastIndexOf(LINE_END) + 1;
  if (whole < bytes.length) await handle.truncate(whole);
  const lines = bytes.toString('utf8', 0, whole).split('\n');
  return lines.slice(0, -1).map(parse);
}

function parse(line: string, index: number): Entry {
  try {
    return JSON.parse(line) as Entry;
  } catch (cause) {
    throw new Error(`line ${index + 1} of the ledger is damaged`, { cause });
  }
}

/** A new file is durable when its folder is (fsync(2), notes). */
async function syncFolder(file: string): Promise<void> {
  await using folder = await open(dirname(file), 'r');
  await folder.sync();
}

function appender(handle: FileHandle): Omit<Ledger, 'entries'> {
  let waiting: string[] = [];
  let written: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    next = undefined;
    const lines = waiting;
    waiting = [];
    await handle.appendFile(lines.join(''));
    await handle.datasync();
  };
  return {
    append: (entry) => {
      waiting.push(`${JSON.stringify(entry)}\n`);
      if (next !== undefined) return;
      next = written.then(write);
      written = next;
      written.catch(() => undefined);
    },
    flushed: () => written,
    close: async () => {
      await written.catch(() => undefined);
      await handle.close();
    },
  };
}
