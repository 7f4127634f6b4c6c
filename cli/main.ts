/** The `mercer` command line: one file per word. */
import { Command, CommanderError } from 'commander';
import { audit } from './audit.ts';
import { cert } from './cert.ts';
import { CommandError, describe } from './command-error.ts';
import { demo } from './demo.ts';
import { down } from './down.ts';
import { EXIT_CODES_HELP, FAILED, OK, USAGE } from './exit-codes.ts';
import { logs } from './logs.ts';
import { endWithReader } from './lost-reader.ts';
import { restart } from './restart.ts';
import { status } from './status.ts';
import { token } from './token.ts';
import { up } from './up.ts';

const WORDS = [up, down, status, restart, logs, token, cert, demo, audit];

endWithReader();
process.exitCode = await run(process.argv.slice(2));

async function run(words: string[]): Promise<number> {
  const program = new Command('mercer')
    .description('Starts and looks after a fabric of Mercer on this machine.')
    .helpOption('-h, --help', 'this text; every word has one of its own')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: termOf })
    .addHelpText('after', EXIT_CODES_HELP);
  for (const word of WORDS) program.addCommand(word());
  for (const command of [program, ...program.commands]) quiet(command);
  if (words.length === 0) {
    program.outputHelp({ error: true });
    return USAGE;
  }
  try {
    refuseUnknown(program, words);
    await program.parseAsync(words, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : OK;
  } catch (error) {
    return report(error);
  }
}

/** The word and its arguments; that it takes options goes without saying. */
function termOf(command: Command): string {
  const names = command.registeredArguments.map((each) =>
    each.required ? `<${each.name()}>` : `[${each.name()}]`,
  );
  return [command.name(), ...names].join(' ');
}

/** Commander answers `unknown --help` with the general help, as if the word were there. */
function refuseUnknown(program: Command, [word = '']: string[]): void {
  if (word.startsWith('-') || program.commands.some((command) => command.name() === word)) return;
  throw new CommandError(`unknown command '${word}' (see --help)`, { exitCode: USAGE });
}

/** Errors are thrown, so that `report` alone prints them. */
function quiet(command: Command): void {
  command
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: () => undefined });
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return OK;
    complain(`${error.message.replace(/^error: /, '')} (see --help)`);
    return USAGE;
  }
  complain(describe(error));
  return error instanceof CommandError ? error.exitCode : FAILED;
}

function complain(message: string): void {
  console.error(`mercer: ${message.replaceAll(/\s*\n\s*/g, ' ')}`);
}
