/** Keeps one process running: starts it, asks until it is ready, restarts it with back-off, ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backOff, countFailure } from './back-off.ts';
import type { Exit, RunningProcess } from './running-process.ts';

/** What to keep running. */
export type ProcessSpec = {
  /** "order-1". */
  name: string;
  /** "order". */
  service: string;
  /** Services whose every process must be ready before the first start. */
  needs: readonly string[];
  logFile: string;
  start: () => Promise<RunningProcess>;
  /** Asks once whether it is ready; never rejects. */
  isReady: (signal: AbortSignal) => Promise<boolean>;
};

/** Where a process stands. */
export type ProcessState = 'waiting' | 'starting' | 'ready' | 'down' | 'stopped';

/** Why a process does not run any more; told once for each end. */
export type Ending = {
  /** Undefined when it could not even be started. */
  exit: Exit | undefined;
  /** Why it could not be started. */
  error: unknown;
  /** Whether it left in order, as somebody asked it to: it comes back at once and nothing failed. */
  asked: boolean;
  /** Failures in a row, this one included. */
  failures: number;
  /** Wait in ms before the next start. */
  wait: number;
};

/** Told of everything that happens to a process. */
export type Observer = (process: SupervisedProcess, ending?: Ending) => void;

/** Milliseconds between two questions whether it is ready. */
const ASK_EVERY = 100;
/** A process that is not ready after this many ms is killed and counted as failed. */
const LONGEST_START = 60_000;

/** One process and its life; `observe` hears of each change. */
export class SupervisedProcess {
  readonly spec: ProcessSpec;
  state: ProcessState = 'waiting';
  readonly #observe: Observer;
  readonly #end = new AbortController();
  #running: RunningProcess | undefined;
  #life: Promise<void> | undefined;
  #failures = 0;
  #startBegan: number | undefined;
  #startEnded: number | undefined;

  constructor(spec: ProcessSpec, observe: Observer) {
    this.spec = spec;
    this.#observe = observe;
  }

  /** Undefined while nothing runs. */
  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** How long the last start took, or has taken so far; undefined before the first. */
  get startSeconds(): number | undefined {
    if (this.#startBegan === undefined) return undefined;
    return ((this.#startEnded ?? Date.now()) - this.#startBegan) / 1000;
  }

  /** Runs until `stop` or `kill`; returns at once. */
  keep(): void {
    this.#life ??= this.#live();
  }

  /** Asks it to end, and kills it at the deadline (ms since the epoch). */
  async stop(deadline: number): Promise<void> {
    this.#end.abort();
    this.#running?.stop();
    const late = setTimeout(() => this.#running?.kill(), Math.max(0, deadline - Date.now()));
    await this.#over();
    clearTimeout(late);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#end.abort();
    this.#running?.kill();
    await this.#over();
  }

  async #over(): Promise<void> {
    await this.#life;
    if (this.state !== 'stopped') this.#become('stopped');
  }

  async #live(): Promise<void> {
    while (!this.#end.signal.aborted) {
      this.#become('starting');
      const began = Date.now();
      const { exit, error, served } = await this.#runOnce();
      if (this.#end.signal.aborted) return;
      const asked = served && (exit?.code === 0 || exit?.signal === 'SIGTERM');
      this.#failures = asked ? 0 : countFailure(this.#failures, Date.now() - began);
      const wait = asked ? 0 : backOff(this.#failures);
      this.#become('down', { exit, error, asked, failures: this.#failures, wait });
      await sleep(wait, undefined, { signal: this.#end.signal }).catch(() => undefined);
    }
  }

  async #runOnce(): Promise<{ exit?: Exit; error?: unknown; served: boolean }> {
    const gone = new AbortController();
    try {
      this.#running = await this.spec.start();
      // Stopped while it was being started: nobody has told it yet.
      if (this.#end.signal.aborted) this.#running.stop();
      void this.#askUntilReady(this.#running, AbortSignal.any([gone.signal, this.#end.signal]));
      const exit = await this.#running.exited;
      return { exit, served: this.state === 'ready' };
    } catch (error) {
      return { error, served: false };
    } finally {
      gone.abort();
      this.#running = undefined;
    }
  }

  async #askUntilReady(running: RunningProcess, over: AbortSignal): Promise<void> {
    const late = Date.now() + LONGEST_START;
    while (!over.aborted) {
      const ready = await this.spec.isReady(over);
      if (over.aborted) return;
      if (ready) {
        this.#become('ready');
        return;
      }
      if (Date.now() > late) running.kill();
      await sleep(ASK_EVERY, undefined, { signal: over }).catch(() => undefined);
    }
  }

  #become(state: ProcessState, ending?: Ending): void {
    this.state = state;
    if (state === 'starting') {
      this.#startBegan = Date.now();
      this.#startEnded = undefined;
    } else this.#startEnded ??= Date.now();
    this.#observe(this, ending);
  }
}
