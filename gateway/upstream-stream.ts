/** A server stream as grpc-js gives it, made safe to await: no failure is lost between two readers. */
import type { ClientReadableStream } from '@grpc/grpc-js';

/** A stream of wire-format messages. */
export type UpstreamStream = {
  /**
   * Resolves when the first message is there, the stream ended well, or `patience` ms went by; rejects with the
   * ServiceError when the service refuses before.
   */
  opened: (patience: number) => Promise<void>;
  /** Every message, as fast as they are taken; throws the ServiceError when the stream fails. Leaving it cancels. */
  messages: () => AsyncIterable<Uint8Array>;
};

/**
 * grpc-js ends a stream that failed, and says why by an 'error' event on the way: a reader that comes later
 * sees an end without a reason. So the failure is kept from the start.
 */
export function upstreamStream(stream: ClientReadableStream<Uint8Array>): UpstreamStream {
  let failure: Error | undefined;
  stream.on('error', (error) => (failure ??= error));
  const settled = new Promise<void>((resolve) => stream.once('status', () => resolve()));
  const opened = async (patience: number): Promise<void> => {
    const waiting = new AbortController();
    await Promise.race([settled, firstMessage(stream, waiting.signal), elapsed(patience, waiting.signal)]);
    waiting.abort();
    if (failure !== undefined && stream.readableLength === 0) throw failure;
  };
  const messages = async function* (): AsyncIterable<Uint8Array> {
    try {
      for await (const message of stream) yield message as Uint8Array;
      await settled;
      if (failure !== undefined) throw failure;
    } finally {
      stream.cancel();
    }
  };
  return { opened, messages };
}

/** 'readable' also says that the end was reached. */
function firstMessage(stream: ClientReadableStream<Uint8Array>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (stream.readableLength > 0) resolve();
    };
    stream.on('readable', look);
    signal.addEventListener('abort', () => stream.off('readable', look), { once: true });
  });
}

function elapsed(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}
