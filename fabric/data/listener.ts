/** A connection that hears what the transactions of a database notify; it comes back when it is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../telemetry/logger.ts';

/** What to listen to. */
export type ListenerOptions = {
  /** URL with the app role. */
  url: string;
  /** Channel of NOTIFY. */
  channel: string;
  /** Called for every notification, and once per connection, since some may have been missed before it. */
  heard: () => void;
  log: Logger;
};

/** A connection that is listening, or trying to. */
export type Listener = { stop(): Promise<void> };

/** Between two connections, in ms. */
const RECONNECT = 500;
/** How long an orderly goodbye may take, in ms. */
const LONGEST_END = 1_000;
const TIMEOUTS = { connectionTimeoutMillis: 2_000, query_timeout: 4_000, keepAlive: true };

/**
 * Listens on a connection of its own until it is stopped. A notification only says that there is something to
 * look at: whoever needs every change looks from time to time as well, for a dead connection is silent.
 */
export function listenTo(options: ListenerOptions): Listener {
  const stopping = new AbortController();
  const ended = keepListening(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

async function keepListening(options: ListenerOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await listen(options, signal);
    } catch (error) {
      const fields = { event: 'listener_lost', channel: options.channel, err: error };
      options.log.warn(fields, 'listening failed and is taken up again');
    }
    await sleep(RECONNECT, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** One connection; resolves when it ends or is to end, rejects when it breaks. */
async function listen({ url, channel, heard }: ListenerOptions, signal: AbortSignal): Promise<void> {
  const client = new pg.Client({ connectionString: url, ...TIMEOUTS });
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  over.catch(() => undefined);
  const stop = (): void => resolve();
  client.on('error', reject).on('end', stop).on('notification', heard);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    heard();
    await over;
  } finally {
    signal.removeEventListener('abort', stop);
    const end = client.end().catch(() => undefined);
    await Promise.race([end, sleep(LONGEST_END, undefined, { ref: false })]);
  }
}
