/** The configuration repository as readers see it: in memory, followed in the background, never waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Logger } from '#fabric/telemetry/logger.ts';
import { openClone } from './clone.ts';
import type { Clone } from './clone.ts';
import { readFiles } from './commit-files.ts';
import type { Files } from './domain.ts';
import { withoutCredentials } from './git.ts';
import { logFailure, logPublished, logRecovery } from './repository-events.ts';

/** What to follow, and how. */
export type RepositoryOptions = {
  /** Any URL or path that git fetches from. */
  url: string;
  /** Folder of the bare clone. */
  directory: string;
  /** Branch, tag or commit that is served when none is asked for. */
  label: string;
  /** Pause between two fetches, in ms. */
  poll: number;
  log: Logger;
};

const FETCH_TIMEOUT = 10_000;
/** The longest pause after failures, in ms; a longer poll stays as it is. */
const LONGEST_PAUSE = 15_000;
const ID = /^[0-9a-f]{7,64}$/;

/** Opens the clone, serves what it holds, and follows the URL until disposed. */
export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  const repository = new Repository(options, await openClone(options.url, options.directory));
  await repository.start();
  return repository;
}

/** Follows one repository. Readers are answered from memory; only a commit never read before asks the clone. */
export class Repository {
  /** Its URL without credentials. */
  readonly name: string;
  readonly label: string;
  readonly #options: RepositoryOptions;
  readonly #clone: Clone;
  readonly #stop = new AbortController();
  readonly #files = new LRUCache<string, Files>({
    max: 16,
    fetchMethod: (commit) => readFiles(this.#clone, commit),
  });
  readonly #commits = new LRUCache<string, { commit: string | undefined }>({
    max: 1_000,
    ttl: 5_000,
    fetchMethod: async (id) => ({ commit: await this.#clone.commit(id) }),
  });
  #heads: ReadonlyMap<string, string> = new Map();
  #head: string | undefined;
  #fetchTime: Date | undefined;
  #staleSince: Date | undefined;
  #following: Promise<void> = Promise.resolve();

  constructor(options: RepositoryOptions, clone: Clone) {
    this.name = withoutCredentials(options.url).replace(/\/$/, '');
    this.label = options.label;
    this.#options = options;
    this.#clone = clone;
  }

  /** Whether any commit can be served. */
  get loaded(): boolean {
    return this.#head !== undefined;
  }

  /** When the last fetch succeeded, since the start; undefined before the first. */
  get fetchTime(): Date | undefined {
    return this.#fetchTime;
  }

  /** Since when fetching fails; undefined while it succeeds. */
  get staleSince(): Date | undefined {
    return this.#staleSince;
  }

  /** Takes what the clone holds from earlier; only an empty one waits for a first fetch, 10 s at most. */
  async start(): Promise<void> {
    await this.#publish().catch(() => undefined);
    const first = this.#update();
    if (!this.loaded) await first;
    this.#following = first.then((succeeded) => this.#follow(succeeded ? 0 : 1));
  }

  /** The commit of a label, '' being the default one; undefined when it names none. */
  async commit(label: string): Promise<string | undefined> {
    if (label === '' || label === this.label) return this.#head;
    return (
      this.#heads.get(label) ?? (ID.test(label) ? (await this.#commits.fetch(label))?.commit : undefined)
    );
  }

  /** The configuration files in the root of a commit. */
  async files(commit: string): Promise<Files> {
    return (await this.#files.fetch(commit)) ?? new Map();
  }

  /** Up to 50 commits before one, newest first. */
  before(commit: string): Promise<string[]> {
    return this.#clone.before(commit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(failuresSoFar: number): Promise<void> {
    let failures = failuresSoFar;
    while (!this.#stop.signal.aborted) {
      await this.#pause(failures);
      if (this.#stop.signal.aborted) return;
      failures = (await this.#update()) ? 0 : failures + 1;
    }
  }

  async #pause(failures: number): Promise<void> {
    const { poll } = this.#options;
    const longest = Math.max(poll, LONGEST_PAUSE);
    const pause = Math.min(poll * 2 ** Math.min(failures, 10), longest) * (0.9 + Math.random() * 0.2);
    await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  /** Fetches and publishes; false when either failed, and then what was published stays. */
  async #update(): Promise<boolean> {
    const { log } = this.#options;
    const { signal } = this.#stop;
    try {
      await this.#clone.fetch({ timeout: FETCH_TIMEOUT, signal });
      await this.#publish();
    } catch (error) {
      if (this.#staleSince === undefined && !signal.aborted) logFailure(log, this.name, error);
      this.#staleSince ??= new Date();
      return false;
    }
    if (this.#staleSince !== undefined) logRecovery(log, this.name);
    this.#fetchTime = new Date();
    this.#staleSince = undefined;
    return true;
  }

  /** Makes the clone's heads the ones that readers see, once the files of the default label are in memory. */
  async #publish(): Promise<void> {
    const heads = await this.#clone.heads();
    const head = heads.get(this.label) ?? (await this.#clone.commit(this.label));
    if (head === undefined) throw new Error(`${this.label} names no commit of ${this.name}`);
    if (head !== this.#head) await this.#announce(head);
    this.#heads = heads;
    this.#head = head;
  }

  async #announce(head: string): Promise<void> {
    const files = await this.files(head);
    const forced = this.#head !== undefined && !(await this.#clone.leadsTo(this.#head, head));
    logPublished(this.#options.log, { label: this.label, version: head, forced, files });
  }
}
