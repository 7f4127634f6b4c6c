/** Decides pending charges when their time has come. */

/** Timers of charges; disposing of it forgets them, which the ledger does not. */
export class Clearing {
  readonly #clock: () => Date;
  readonly #decide: (chargeId: string) => Promise<void>;
  readonly #scheduled = new Map<string, { timer: NodeJS.Timeout; decided: Promise<void> }>();

  constructor(clock: () => Date, decide: (chargeId: string) => Promise<void>) {
    this.#clock = clock;
    this.#decide = decide;
  }

  /** Decides a charge at a time, now when that has passed. */
  schedule(chargeId: string, due: Date): void {
    const { promise: decided, resolve } = Promise.withResolvers<void>();
    const run = (): void => {
      resolve(this.#decide(chargeId).finally(() => this.#scheduled.delete(chargeId)));
    };
    const delay = Math.max(0, due.getTime() - this.#clock().getTime());
    // Whoever waits for it hears of a failure; when nobody does, the ledger tells it at the next request.
    decided.catch(() => undefined);
    this.#scheduled.set(chargeId, { timer: setTimeout(run, delay), decided });
  }

  /** Resolves when a charge is decided; at once when nothing is scheduled for it. */
  decided(chargeId: string): Promise<void> {
    return this.#scheduled.get(chargeId)?.decided ?? Promise.resolve();
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#scheduled.values()) clearTimeout(timer);
    this.#scheduled.clear();
  }
}
