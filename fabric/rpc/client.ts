/** Calls a service by its generated definition: promises and iterations out, StatusErrors only. */
import { Metadata, status } from '@grpc/grpc-js';
import type { CallOptions as GrpcCallOptions, ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import { currentCall } from './call-context.ts';
import type { Channel } from './channel.ts';
import { outgoingDeadline, READ_TIMEOUT, WRITE_TIMEOUT } from './deadlines.ts';
import { methodOf } from './descriptors.ts';
import type {
  CallOptions,
  MethodDefinition,
  ServiceClient,
  ServiceDefinition,
} from './service-definition.ts';
import { StatusError, toStatusError } from './status-error.ts';

/**
 * A function for every method of the service. The user's token, the request id and the trace of the call
 * being served go along; a unary call lasts at most `timeout` (default 2 s for reads, 10 s for writes) and
 * never longer than the call being served; it is cancelled with it. Streams last until they are left.
 */
export function connect<D extends ServiceDefinition>(definition: D, channel: Channel): ServiceClient<D> {
  const callers = Object.entries(definition).map(([name, method]) => [name, caller(method, channel)]);
  return Object.fromEntries(callers) as ServiceClient<D>;
}

function caller(method: MethodDefinition, channel: Channel): unknown {
  const definition = method as Callable;
  if (definition.requestStream) {
    return (requests: AsyncIterable<unknown>, options?: CallOptions) =>
      bidi(channel, definition, { requests, options });
  }
  if (definition.responseStream) {
    return (request: unknown, options?: CallOptions) =>
      serverStream(channel, definition, { request, options });
  }
  return (request: unknown, options?: CallOptions) => unary(channel, definition, { request, options });
}

/** A definition whose types were forgotten, because it is called by path. */
type Callable = Omit<MethodDefinition, 'requestSerialize'> & { requestSerialize: (value: unknown) => Buffer };

function unary(
  channel: Channel,
  method: Callable,
  { request, options }: { request: unknown; options: CallOptions | undefined },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const aborted = options?.signal?.aborted === true || currentCall()?.signal.aborted === true;
    if (aborted) {
      reject(cancelled());
      return;
    }
    const settle = (error: Error | null, response?: unknown): void => {
      stop();
      if (error === null) resolve(response);
      else reject(toStatusError(error));
    };
    const call = channel.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      outgoingMetadata(),
      unaryOptions(method, options),
      settle,
    );
    const stop = cancelWith(() => call.cancel(), options?.signal);
  });
}

function unaryOptions(method: Callable, options: CallOptions | undefined): GrpcCallOptions {
  const fallback = methodOf(method.path)?.sideEffectFree === true ? READ_TIMEOUT : WRITE_TIMEOUT;
  return { deadline: outgoingDeadline(options?.timeout ?? fallback, currentCall()?.deadline) };
}

function streamOptions(options: CallOptions | undefined): GrpcCallOptions {
  return options?.timeout === undefined
    ? {}
    : { deadline: outgoingDeadline(options.timeout, currentCall()?.deadline) };
}

async function* serverStream(
  channel: Channel,
  method: Callable,
  { request, options }: { request: unknown; options: CallOptions | undefined },
): AsyncIterable<unknown> {
  const { path, requestSerialize, responseDeserialize } = method;
  const metadata = outgoingMetadata();
  const call = channel.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    metadata,
    streamOptions(options),
  );
  yield* drink(call, options);
}

async function* bidi(
  channel: Channel,
  method: Callable,
  { requests, options }: { requests: AsyncIterable<unknown>; options: CallOptions | undefined },
): AsyncIterable<unknown> {
  const { path, requestSerialize, responseDeserialize } = method;
  const call = channel.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    outgoingMetadata(),
    streamOptions(options),
  );
  void feed(call, requests);
  yield* drink(call, options);
}

async function feed(
  call: ClientDuplexStream<unknown, unknown>,
  requests: AsyncIterable<unknown>,
): Promise<void> {
  try {
    for await (const request of requests) {
      if (call.destroyed) return;
      if (!call.write(request))
        await new Promise((resolve) => call.once('drain', resolve).once('close', resolve));
    }
    call.end();
  } catch {
    call.cancel();
  }
}

/** Yields what a stream brings; leaving the iteration cancels the call. */
async function* drink(
  call: ClientReadableStream<unknown>,
  options: CallOptions | undefined,
): AsyncIterable<unknown> {
  const stop = cancelWith(() => call.cancel(), options?.signal);
  try {
    for await (const response of call) yield response;
  } catch (error) {
    throw toStatusError(error);
  } finally {
    stop();
    call.cancel();
  }
}

/** Cancels with the caller's own signal and with the call being served; the answer ends the watch. */
function cancelWith(cancel: () => void, signal: AbortSignal | undefined): () => void {
  const signals = [signal, currentCall()?.signal].filter((each) => each !== undefined);
  for (const each of signals) each.addEventListener('abort', cancel, { once: true });
  return () => {
    for (const each of signals) each.removeEventListener('abort', cancel);
  };
}

function outgoingMetadata(): Metadata {
  const metadata = new Metadata();
  const call = currentCall();
  if (call === undefined) return metadata;
  metadata.set('x-request-id', call.requestId);
  if (call.token !== undefined) metadata.set('authorization', `Bearer ${call.token}`);
  return metadata;
}

function cancelled(): StatusError {
  return new StatusError(status.CANCELLED, 'the call was cancelled', { reason: 'CANCELLED' });
}
