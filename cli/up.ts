/** `mercer up`: starts a fabric and looks after it until it is asked to stop. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { fabricCommand, wholeNumber } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';
import { banner } from './launcher/banner.ts';
import { PROGRAMS, SERVICE_NAMES } from './launcher/processes.ts';

/** What `up` is asked for. */
export type UpOptions = Required<FabricOptions> & {
  replicas: Record<string, number>;
  only: string[];
  set: string[];
  /** "demo", "none", or a number of products that are made up. */
  seed: 'demo' | 'none' | number;
  readyFile?: string;
  detach?: true;
};

const MOST_REPLICAS = 16;
const MOST_PRODUCTS = 100_000;

const REPLICAS = new Option('--replicas <list>', 'how many of a service: product=2,order=2')
  .argParser(replicas)
  .default({}, 'one of each');
const WORKERS = new Option('--workers <n>', 'processes of the gateway').argParser(workers).default(1);
const ONLY = new Option('--only <names>', 'only these and what they need: registry,product')
  .argParser(names)
  .default([], 'all');
const SEED = new Option('--seed <what>', 'catalogue: demo, none, or a number of products')
  .argParser(seed)
  .default('demo', 'demo');
const SET = new Option('--set <key=value>', 'a setting for all processes; may be repeated')
  .argParser(repeated)
  .default([], 'none');

export function up(): Command {
  return fabricCommand(
    'up',
    'Start everything, wait until all is healthy, print where it is; Ctrl-C stops it.',
  )
    .addOption(REPLICAS)
    .addOption(WORKERS)
    .addOption(ONLY)
    .addOption(SEED)
    .addOption(SET)
    .option('--ready-file <file>', 'write JSON with all addresses there when all is healthy')
    .option('--detach', 'return when all is healthy; `mercer down` stops it')
    .action(start);
}

/** The launcher is loaded when it is needed: the other words stay quick. */
async function start(options: Omit<UpOptions, 'offset'> & { offset?: number }): Promise<void> {
  if (options.detach === true) {
    const { startInBackground } = await import('./launcher/background.ts');
    const words = process.argv.slice(2).filter((word) => word !== '--detach');
    const facts = await startInBackground(options.data, words);
    console.log(`${banner(facts)}\n\n\`mercer down\` stops everything.`);
  } else {
    const { runFabric } = await import('./launcher/run.ts');
    await runFabric({ ...options, offset: options.offset ?? 0 });
  }
}

function replicas(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [service = '', count] = part.split('=');
    const replicable = PROGRAMS.find((program) => program.service === service)?.replicable === true;
    if (replicable && count === undefined) {
      throw new InvalidArgumentError(`It must say how many, such as ${service}=2.`);
    }
    if (!replicable || count === undefined) {
      throw new InvalidArgumentError('It must be a list such as product=2,order=2,payment=2.');
    }
    counts[service] = wholeNumber(count, { from: 1, to: MOST_REPLICAS });
  }
  return counts;
}

function workers(text: string): number {
  const count = wholeNumber(text, { from: 1, to: MOST_REPLICAS });
  if (count === 1) return count;
  throw new InvalidArgumentError('The gateway runs as one process so far.');
}

function names(text: string): string[] {
  const wanted = text.split(',');
  const unknown = wanted.find((name) => !SERVICE_NAMES.includes(name));
  if (unknown === undefined) return wanted;
  throw new InvalidArgumentError(`There is no ${unknown}; there are ${SERVICE_NAMES.join(', ')}.`);
}

function seed(text: string): UpOptions['seed'] {
  if (text === 'demo' || text === 'none') return text;
  if (/^\d+$/.test(text)) return wholeNumber(text, { from: 0, to: MOST_PRODUCTS });
  throw new InvalidArgumentError(`It must be demo, none, or a number of products up to ${MOST_PRODUCTS}.`);
}

function repeated(text: string, earlier: string[]): string[] {
  return [...earlier, text];
}
