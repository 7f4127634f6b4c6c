/** Serves a server stream as server-sent events, newline-delimited JSON or one JSON array. */
import type { ServerResponse } from 'node:http';
import { preferred } from './accept.ts';
import { errorRecord } from './errors.ts';
import { failureOf } from './failure.ts';

/** How the records of a stream are written. */
export type StreamFormat = {
  type: string;
  /** Before the first record. */
  head: string;
  record: (json: string, index: number) => string;
  /** A record that says why the stream ended early. */
  failure: (json: string, index: number) => string;
  /** After the last record. */
  tail: string;
  /** Sent while there is nothing to say; empty where the format has no such thing. */
  heartbeat: string;
};

/** HTML Living Standard, section 9.2.6; records hold no line breaks. */
const EVENTS: StreamFormat = {
  type: 'text/event-stream',
  head: '',
  record: (json, index) => `id: ${index}\ndata: ${json}\n\n`,
  failure: (json) => `event: error\ndata: ${json}\n\n`,
  tail: '',
  heartbeat: ': still here\n\n',
};
const ARRAY: StreamFormat = {
  type: 'application/json',
  head: '[',
  record: (json, index) => (index === 1 ? json : `,${json}`),
  failure: (json, index) => (index === 1 ? json : `,${json}`),
  tail: ']',
  heartbeat: '',
};
const LINES: StreamFormat = {
  type: 'application/x-ndjson',
  head: '',
  record: (json) => `${json}\n`,
  failure: (json) => `${json}\n`,
  tail: '',
  heartbeat: '',
};

/** A comment goes out at least this often, in ms, so that proxies keep the connection. */
const HEARTBEAT = 10_000;
/** The format that a client asks for; newline-delimited JSON when it names none of ours. */
export function streamFormat(accept: string | undefined): StreamFormat {
  const formats = [EVENTS, ARRAY, LINES];
  const type = preferred(
    accept,
    formats.map((format) => format.type),
  );
  return formats.find((format) => format.type === type) ?? LINES;
}

/** A stream to write, and how. */
export type Streaming = {
  format: StreamFormat;
  /** The JSON text of one message. */
  write: (bytes: Uint8Array) => string;
  /** Its reason, where it has one, is what the last record tells. */
  signal: AbortSignal;
};

/**
 * Writes every message as a record, no faster than the client reads, and ends the answer. A failure is the
 * last record; it is returned, so that it can be logged.
 */
export async function pump(
  messages: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  { format, write, signal }: Streaming,
): Promise<unknown> {
  const beat =
    format.heartbeat === '' ? undefined : setInterval(() => response.write(format.heartbeat), HEARTBEAT);
  let index = 0;
  response.flushHeaders();
  if (format.head !== '') response.write(format.head);
  try {
    for await (const bytes of messages) {
      index += 1;
      await send(response, format.record(write(bytes), index));
      beat?.refresh();
    }
    response.end(format.tail);
    return undefined;
  } catch (error) {
    const cause: unknown = signal.aborted ? signal.reason : error;
    const record = format.failure(errorRecord(failureOf(cause)), index + 1);
    if (!response.destroyed) response.end(`${record}${format.tail}`);
    return cause;
  } finally {
    clearInterval(beat);
  }
}

/** Waits until the client has read enough, or is gone. */
async function send(response: ServerResponse, text: string): Promise<void> {
  if (response.write(text) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}
