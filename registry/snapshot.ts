/** The file that carries the leases over a restart: written whole or not at all, and checked when read. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Instance, Status } from './domain.ts';

/** An operator's word on an instance. */
export type KeptOverride = {
  readonly service: string;
  readonly instanceId: string;
  readonly status: Status;
};

/** What a registry needs in order to go on where an earlier one ended; no times, for clocks start anew. */
export type KeptLeases = {
  readonly services: readonly string[];
  readonly leases: readonly { leaseId: string; instance: Instance; ttl: number }[];
  readonly overrides: readonly KeptOverride[];
  /** By service, in base64. */
  readonly descriptorSets: Readonly<Record<string, string>>;
};

/** How long changes are gathered before they are written, in ms. */
const DEBOUNCE = 1_000;
/** Names the format; a file of another one is ignored. */
const FORMAT = 'mercer-leases-1';

/** Where the snapshot lies, and who hears of its trouble. */
export type SnapshotOptions = { readonly file: string; readonly log: Logger };

/** Reads the snapshot; undefined when there is none, or, with a `snapshot_ignored` event, none to be trusted. */
export async function readSnapshot({ file, log }: SnapshotOptions): Promise<KeptLeases | undefined> {
  try {
    return decode(await readFile(file, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    log.warn({ event: 'snapshot_ignored', file, err: error }, 'the snapshot of leases cannot be read');
    return undefined;
  }
}

/** Writes the snapshot one second after the first change, and what is left when it is disposed of. */
export class SnapshotWriter {
  readonly #options: SnapshotOptions;
  readonly #take: () => KeptLeases;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SnapshotOptions, take: () => KeptLeases) {
    this.#options = options;
    this.#take = take;
  }

  /** Tells of a change; many within a second are written once. */
  touch(): void {
    this.#timer ??= setTimeout(() => void this.#write(), DEBOUNCE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== undefined) await this.#write();
    await this.#writing;
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#tryWrite());
    return this.#writing;
  }

  async #tryWrite(): Promise<void> {
    const { file, log } = this.#options;
    try {
      await writeWhole(file, encode(this.#take()));
    } catch (error) {
      log.error({ event: 'snapshot_failed', file, err: error }, 'the snapshot of leases was not written');
    }
  }
}

/** A crash at any moment leaves the old file or the new one: both it and its folder reach the disk. */
async function writeWhole(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const draft = `${file}.new`;
  await using handle = await open(draft, 'w', 0o600);
  await handle.writeFile(text);
  await handle.sync();
  await rename(draft, file);
  await using entry = await open(folder, 'r');
  await entry.sync();
}

function encode(kept: KeptLeases): string {
  const text = JSON.stringify(kept);
  return `${FORMAT} ${checksum(text)}\n${text}\n`;
}

function decode(content: string): KeptLeases {
  const [head = '', text = ''] = content.split('\n', 2);
  if (head !== `${FORMAT} ${checksum(text)}`) throw new Error('its checksum does not match its content');
  return JSON.parse(text) as KeptLeases;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
