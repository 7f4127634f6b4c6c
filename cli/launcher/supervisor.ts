/** Starts processes in the order of their needs, in parallel where it can, and stops them in stages. */
import { CommandError, describe } from '../command-error.ts';
import { CONFIG, FAILED, INTERRUPTED } from '../exit-codes.ts';
import { lastWords } from './last-words.ts';
import { SupervisedProcess } from './supervised-process.ts';
import type { Ending, Observer, ProcessSpec } from './supervised-process.ts';

/** Services that stop together, and when those still there are killed: ms after the stop began. */
export type StopStage = { services: readonly string[]; by: number };

/** Failures in a row after which the first start of a fabric is given up. */
const ATTEMPTS = 3;

/** All processes of a fabric; disposing of it kills what is left. */
export class Supervisor {
  readonly processes: readonly SupervisedProcess[];
  readonly #observe: Observer;
  readonly #started = Promise.withResolvers<void>();
  #stopped: Promise<void> | undefined;
  #complete = false;
  #leaving = false;

  constructor(specs: readonly ProcessSpec[], observe: Observer = () => undefined) {
    this.#observe = observe;
    this.processes = specs.map((spec) => new SupervisedProcess(spec, this.#changed));
    this.#started.promise.catch(() => undefined);
  }

  /**
   * Resolves when every process is ready. Rejects with a CommandError that quotes the log when one refuses its
   * settings, or fails three times in a row; what runs is left running.
   */
  start(): Promise<void> {
    this.#startWhatCan();
    return this.#started.promise;
  }

  /** Stops stage after stage; whoever is still there when its stage is over is killed. Asked again, it waits. */
  stop(stages: readonly StopStage[]): Promise<void> {
    this.#leave();
    this.#stopped ??= this.#stopInTurn(stages);
    return this.#stopped;
  }

  async #stopInTurn(stages: readonly StopStage[]): Promise<void> {
    const began = Date.now();
    for (const { services, by } of stages) {
      const group = this.processes.filter(({ spec }) => services.includes(spec.service));
      await Promise.all(group.map((each) => each.stop(began + by)));
    }
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    this.#leave();
    await Promise.all(this.processes.map((each) => each.kill()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #leave(): void {
    this.#leaving = true;
    this.#started.reject(new CommandError('interrupted before all was ready', { exitCode: INTERRUPTED }));
  }

  #changed = (process: SupervisedProcess, ending?: Ending): void => {
    if (ending !== undefined && isHopeless(ending) && !this.#complete) {
      void this.#giveUp(process, ending);
      return;
    }
    this.#observe(process, ending);
    if (process.state === 'ready') this.#startWhatCan();
  };

  #startWhatCan(): void {
    if (this.#leaving) return;
    const isReady = (service: string): boolean =>
      this.processes.every(({ spec, state }) => spec.service !== service || state === 'ready');
    for (const each of this.processes) {
      if (each.state === 'waiting' && each.spec.needs.every(isReady)) each.keep();
    }
    this.#complete ||= this.processes.every(({ state }) => state === 'ready');
    if (this.#complete) this.#started.resolve();
  }

  async #giveUp({ spec }: SupervisedProcess, { exit, error }: Ending): Promise<void> {
    const exitCode = exit?.code === CONFIG ? CONFIG : FAILED;
    const why = error === undefined ? await whyOf(spec) : describe(error);
    this.#started.reject(new CommandError(`${spec.name} did not start: ${why}`, { exitCode }));
  }
}

function isHopeless({ exit, failures }: Ending): boolean {
  return exit?.code === CONFIG || failures >= ATTEMPTS;
}

async function whyOf({ logFile }: ProcessSpec): Promise<string> {
  const words = await lastWords(logFile);
  return `${words === '' ? 'it said nothing' : words} (log: ${logFile})`;
}
