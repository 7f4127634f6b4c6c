/** Turns plain async functions into a gRPC service: requests are validated, and every throw becomes a status. */
import { status } from '@grpc/grpc-js';
import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition as GrpcServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { currentCall, runInCall } from './call-context.ts';
import type { CallContext } from './call-context.ts';
import { methodOf } from './descriptors.ts';
import type { Handlers, MethodDefinition, ServiceDefinition } from './service-definition.ts';
import { writeDetails } from './status-details.ts';
import { StatusError, toStatusError } from './status-error.ts';
import { validate } from './validation.ts';

/** A service and its handlers, ready for startServer. */
export type ServiceRegistration = {
  /** HTTP/2 paths of its methods. */
  paths: string[];
  definition: GrpcServiceDefinition;
  implementation: UntypedServiceImplementation;
};

/** A request off the wire, or why it was refused. */
type Received = { message: unknown } | { refusal: StatusError };
type AnyHandler = (request: unknown, call: CallContext) => unknown;

/** Binds a handler to every method of a generated service definition. */
export function implement<D extends ServiceDefinition>(
  definition: D,
  handlers: Handlers<D>,
): ServiceRegistration {
  const methods: Record<string, unknown> = {};
  const implementation: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(definition)) {
    methods[name] = { ...method, requestDeserialize: (bytes: Buffer) => receive(method, bytes) };
    implementation[name] = bind(method, handlers[name] as AnyHandler);
  }
  return {
    paths: Object.values(definition).map((method) => method.path),
    definition: methods as GrpcServiceDefinition,
    implementation: implementation as UntypedServiceImplementation,
  };
}

/** The failure of a method whose behaviour is not built yet. */
export function unimplemented(method: string): StatusError {
  return new StatusError(status.UNIMPLEMENTED, `${method} is not implemented`, { reason: 'NOT_IMPLEMENTED' });
}

function receive(method: MethodDefinition, bytes: Buffer): Received {
  try {
    const input = methodOf(method.path)?.input;
    if (input !== undefined) validate(input, bytes);
    return { message: method.requestDeserialize(bytes) };
  } catch (error) {
    return { refusal: error instanceof StatusError ? error : malformed(error) };
  }
}

function malformed(cause: unknown): StatusError {
  const options = { reason: 'MALFORMED_MESSAGE', cause };
  return new StatusError(status.INVALID_ARGUMENT, 'the request is not a well-formed message', options);
}

function accept(received: Received): unknown {
  if ('refusal' in received) throw received.refusal;
  return received.message;
}

function bind(method: MethodDefinition, handler: AnyHandler): unknown {
  if (method.requestStream) return bindBidi(handler);
  return method.responseStream ? bindServerStream(handler) : bindUnary(handler);
}

function bindUnary(
  handler: AnyHandler,
): (call: ServerUnaryCall<Received, unknown>, done: sendUnaryData<unknown>) => void {
  return (call, done) => {
    const context = servedCall();
    const fail = (error: unknown): void => done(toWire(error, context));
    const work = async (): Promise<unknown> => handler(accept(call.request), context);
    untilDeadline(context, runInCall(context, work)).then((response) => done(null, response), fail);
  };
}

/** Rejects at the call's deadline although the work goes on: a caller is never left hanging. */
async function untilDeadline<T>(context: CallContext, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(deadlineExceeded()),
    Math.max(0, context.deadline.getTime() - Date.now()),
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function deadlineExceeded(): StatusError {
  return new StatusError(status.DEADLINE_EXCEEDED, 'the deadline passed', { reason: 'DEADLINE_EXCEEDED' });
}

function bindServerStream(handler: AnyHandler): (call: ServerWritableStream<Received, unknown>) => void {
  return (call) => {
    const context = servedCall();
    const work = (): Promise<void> =>
      pour(call, context, () => handler(accept(call.request), context) as AsyncIterable<unknown>);
    void runInCall(context, work);
  };
}

function bindBidi(handler: AnyHandler): (call: ServerDuplexStream<Received, unknown>) => void {
  return (call) => {
    const context = servedCall();
    const requests = acceptAll(call);
    const work = (): Promise<void> =>
      pour(call, context, () => handler(requests, context) as AsyncIterable<unknown>);
    void runInCall(context, work);
  };
}

/** Reading to the end must not destroy the stream, whose other half still carries the answers. */
async function* acceptAll(call: ServerDuplexStream<Received, unknown>): AsyncIterable<unknown> {
  for await (const received of call.iterator({ destroyOnReturn: false })) yield accept(received);
}

type Sink = ServerWritableStream<Received, unknown> | ServerDuplexStream<Received, unknown>;

/** Writes an iteration to a stream at the reader's pace, and ends it with the iteration's outcome. */
async function pour(sink: Sink, context: CallContext, start: () => AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const response of start()) {
      if (context.signal.aborted || sink.cancelled) return;
      if (!sink.write(response)) await drained(sink, context.signal);
    }
    sink.end();
  } catch (error) {
    if (!context.signal.aborted) sink.emit('error', toWire(error, context));
  }
}

function drained(sink: Sink, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      sink.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    sink.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function servedCall(): CallContext {
  const context = currentCall();
  if (context === undefined) throw new Error('a handler ran outside of a call');
  return context;
}

/** What crosses the wire: UNKNOWN and INTERNAL tell nothing of their cause, in the details neither. */
function toWire(error: unknown, context: CallContext): Error & { code: status; details: string } {
  const failure = toStatusError(error);
  context.onFailure?.(failure);
  const hidden = failure.code === status.INTERNAL || failure.code === status.UNKNOWN;
  const sent = hidden ? new StatusError(failure.code, 'internal error') : failure;
  const { code, message: details } = sent;
  return Object.assign(new Error(details), { code, details, metadata: writeDetails(sent) });
}
