/** The options by which every word finds its fabric. */
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { EXIT_CODES_HELP } from './exit-codes.ts';
import { ROOT } from './root.ts';

/** Where a fabric keeps its files, and by how much its ports are shifted (undefined: whatever it runs with). */
export type FabricOptions = { data: string; offset?: number };

/** PostgreSQL's 54320 is the highest port, 65535 the highest there is. */
const HIGHEST_OFFSET = 11_000;

/** A word of the command line with `--data` and `--offset`. */
export function fabricCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .helpOption('-h, --help', 'this text')
    .optionsGroup('Which fabric:')
    .addOption(data())
    .option('--offset <n>', 'shift of all ports (default: 0)', offset)
    .optionsGroup('Options:')
    .addHelpText('after', EXIT_CODES_HELP);
}

/** Reads a whole number from an option's text. */
export function wholeNumber(text: string, range: { from: number; to: number }): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= range.from && number <= range.to) return number;
  throw new InvalidArgumentError(`It must be a whole number from ${range.from} to ${range.to}.`);
}

function data(): Option {
  const fallback = join(ROOT, '.mercer');
  return new Option('--data <dir>', 'folder of all its files').argParser(path).default(fallback, '.mercer');
}

function path(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must be a folder.');
  return resolve(text);
}

function offset(text: string): number {
  return wholeNumber(text, { from: 0, to: HIGHEST_OFFSET });
}
