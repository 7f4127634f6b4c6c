/** `mercer logs`: the last lines of the processes' logs, and what follows. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { CommandError } from './command-error.ts';
import { USAGE } from './exit-codes.ts';
import { fabricCommand, wholeNumber } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';
import { logFileOf } from './launcher/log-files.ts';
import { logReader } from './launcher/log-reader.ts';
import type { LogReader } from './launcher/log-reader.ts';
import { paint } from './terminal.ts';

type Options = FabricOptions & { follow?: true; lines: number };
type Log = LogReader & { name: string };

const LOOK_EVERY = 250;

export function logs(): Command {
  return fabricCommand('logs', 'Print the logs, of a running fabric or of one that ended.')
    .argument('[name]', 'a process, such as order-1, or a service, such as order (default: all)')
    .option('--follow', 'print further lines until Ctrl-C')
    .option('--lines <n>', 'earlier lines of each log', count, 50)
    .action(print);
}

async function print(name: string | undefined, options: Options): Promise<void> {
  const found = await findLogs(join(options.data, 'logs'), name);
  const prefixed = found.length > 1;
  for (const log of found) show(log, lastOf(await log.read(), options.lines), prefixed);
  while (options.follow === true) {
    await sleep(LOOK_EVERY);
    for (const log of found) show(log, await log.read(), prefixed);
  }
}

async function findLogs(directory: string, name: string | undefined): Promise<Log[]> {
  const files = await readdir(directory).catch(() => []);
  const names = files.filter((file) => file.endsWith('.log')).map((file) => basename(file, '.log'));
  const wanted = names.filter(
    (each) => name === undefined || each === name || each.replace(/-\d+$/, '') === name,
  );
  if (names.length === 0) throw new CommandError(`there are no logs in ${directory}`);
  if (wanted.length === 0) {
    throw new CommandError(`no log is called ${name}; there are ${names.join(', ')}`, { exitCode: USAGE });
  }
  return Promise.all(
    wanted.sort().map(async (each) => ({ name: each, ...(await logReader(logFileOf(directory, each))) })),
  );
}

function lastOf(lines: readonly string[], count: number): readonly string[] {
  return lines.slice(Math.max(0, lines.length - count));
}

function show({ name }: Log, lines: readonly string[], prefixed: boolean): void {
  const prefix = prefixed ? `${paint('cyan', name.padEnd(11))} ` : '';
  for (const line of lines) console.log(prefix + line);
}

function count(text: string): number {
  return wholeNumber(text, { from: 0, to: 100_000 });
}
