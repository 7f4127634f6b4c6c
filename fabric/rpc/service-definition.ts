/** The shape of a generated service definition, and the types that follow from it. */
import type { CallContext } from './call-context.ts';

/** One method as ts-proto writes it. */
export type MethodDefinition = {
  path: string;
  requestStream: boolean;
  responseStream: boolean;
  requestSerialize: (value: never) => Buffer;
  requestDeserialize: (bytes: Buffer) => unknown;
  responseSerialize: (value: never) => Buffer;
  responseDeserialize: (bytes: Buffer) => unknown;
};

/** A service as ts-proto writes it, such as ProductServiceService. */
export type ServiceDefinition = Record<string, MethodDefinition>;

/** The message that a method takes. */
export type RequestOf<M extends MethodDefinition> = ReturnType<M['requestDeserialize']>;
/** The message that a method answers. */
export type ResponseOf<M extends MethodDefinition> = ReturnType<M['responseDeserialize']>;

/** Answers one request with one response. */
export type UnaryHandler<Q, R> = (request: Q, call: CallContext) => Promise<R>;
/** Answers one request with a stream; the stream ends when the iteration does. */
export type ServerStreamHandler<Q, R> = (request: Q, call: CallContext) => AsyncIterable<R>;
/** Answers a stream with a stream. */
export type BidiHandler<Q, R> = (requests: AsyncIterable<Q>, call: CallContext) => AsyncIterable<R>;

/** The handler that a method needs, by what it streams. */
export type HandlerOf<M extends MethodDefinition> = M['requestStream'] extends true
  ? BidiHandler<RequestOf<M>, ResponseOf<M>>
  : M['responseStream'] extends true
    ? ServerStreamHandler<RequestOf<M>, ResponseOf<M>>
    : UnaryHandler<RequestOf<M>, ResponseOf<M>>;

/** A handler for every method of a service. */
export type Handlers<D extends ServiceDefinition> = { [K in keyof D]: HandlerOf<D[K]> };

/** How one call differs from the defaults. */
export type CallOptions = {
  /** In ms. */
  timeout?: number;
  signal?: AbortSignal;
};

/** The function that calls a method, by what it streams. Failures are StatusErrors. */
export type CallerOf<M extends MethodDefinition> = M['requestStream'] extends true
  ? (requests: AsyncIterable<RequestOf<M>>, options?: CallOptions) => AsyncIterable<ResponseOf<M>>
  : M['responseStream'] extends true
    ? (request: RequestOf<M>, options?: CallOptions) => AsyncIterable<ResponseOf<M>>
    : (request: RequestOf<M>, options?: CallOptions) => Promise<ResponseOf<M>>;

/** A function for every method of a service. */
export type ServiceClient<D extends ServiceDefinition> = { [K in keyof D]: CallerOf<D[K]> };
