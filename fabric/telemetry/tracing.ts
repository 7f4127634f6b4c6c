/** Traces of this process: started once, then opened, carried and read by these functions. */
import { createRequire } from 'node:module';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  context,
  defaultTextMapGetter,
  propagation,
  trace,
} from '@opentelemetry/api';
import type { Attributes, Context, Span } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { GrpcInstrumentation } from '@opentelemetry/instrumentation-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { tracePropagator } from './propagation.ts';
import { liveSampler } from './sampling.ts';
import { zipkinExport } from './span-export.ts';

/** What is traced, and where to. */
export type TracingOptions = {
  /** The name that a trace shows for this process, "order". */
  service: string;
  /** "http://127.0.0.1:9411"; empty: spans have ids but are not sent. */
  zipkinUrl: string;
  /** 0..1, of traces that begin here. */
  sampleRate: number;
};

/** Tracing that runs. */
export type Tracing = {
  /** Sends what is left, for at most 2 s; never rejects. */
  shutdown: () => Promise<void>;
  setSampleRate: (rate: number) => void;
  /** Spans that could not be delivered so far. */
  lostSpans: () => number;
};

/** Streams that last as long as their process, and calls that only say "still here". */
const UNTRACED = [
  /^ServerReflectionInfo$/u,
  /^Check$/u,
  /^List$/u,
  /^Watch/u,
  /^StreamAggregatedResources$/u,
  /^DeltaAggregatedResources$/u,
  /^KeepAlive$/u,
  /^Heartbeat$/u,
];
const LONGEST_SHUTDOWN = 2_000;

/**
 * Starts tracing for the whole process; call it once, before the first server or client is used. Calls that
 * a server interceptor refuses never reach the instrumented handler: the interceptor traces them itself.
 */
export function startTracing({ service, zipkinUrl, sampleRate }: TracingOptions): Tracing {
  const { sampler, setRate } = liveSampler(sampleRate);
  const spans = zipkinUrl === '' ? undefined : zipkinExport(zipkinUrl);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    sampler,
    spanProcessors: spans === undefined ? [] : [spans.processor],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(tracePropagator());
  trace.setGlobalTracerProvider(provider);
  instrumentGrpc();
  return {
    shutdown: () => within(LONGEST_SHUTDOWN, provider.shutdown()),
    setSampleRate: setRate,
    lostSpans: () => spans?.lost() ?? 0,
  };
}

/**
 * The instrumentation listens to `require`, which an ESM import never calls. One `require` of the module that
 * the import graph already holds lets it patch, in place, `Server.prototype.register` and
 * `Client.prototype.make*Request`: servers and clients are traced from their next addService or call on.
 */
function instrumentGrpc(): void {
  registerInstrumentations({ instrumentations: [new GrpcInstrumentation({ ignoreGrpcMethods: UNTRACED })] });
  createRequire(import.meta.url)('@grpc/grpc-js');
}

/** What a span is called and what it tells. */
export type SpanOptions = {
  /** INTERNAL by default. */
  kind?: SpanKind;
  /** Never personal data, tokens or SQL values. */
  attributes?: Attributes;
  /** The active context by default. */
  parent?: Context;
};

/**
 * Runs work inside a span, which ends when the work does. A failure marks it with the reason or the type of
 * the error (messages may carry values) and goes on to the caller.
 */
export async function withSpan<T>(
  name: string,
  { kind = SpanKind.INTERNAL, attributes = {}, parent = context.active() }: SpanOptions,
  work: (span: Span) => T | Promise<T>,
): Promise<T> {
  const span = trace.getTracer('mercer').startSpan(name, { kind, attributes }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: outcomeOf(error) });
    throw error;
  } finally {
    span.end();
  }
}

/** A request as a server span sees it. */
export type HttpServerRequest = {
  method: string;
  /** The template, "/v1/orders/{order_id}", so that spans of one route share a name. */
  route: string;
  headers: HttpHeaders;
};

/** Runs the serving of an HTTP request inside a SERVER span that continues the caller's trace. */
export function withHttpServerSpan<T>(
  { method, route, headers }: HttpServerRequest,
  work: (span: Span) => T | Promise<T>,
): Promise<T> {
  const attributes = { 'http.request.method': method, 'http.route': route };
  const parent = extractContext(headers);
  return withSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes, parent }, work);
}

/** Headers as node:http gives them: lower-case names. */
export type HttpHeaders = Record<string, string | string[] | undefined>;

/** The trace that an HTTP request or response continues: B3 single, B3 multi or W3C headers. */
export function extractContext(headers: HttpHeaders): Context {
  return propagation.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
}

/** Headers that carry the active trace to an HTTP peer, added to those given. */
export function injectHeaders(headers: Record<string, string> = {}): Record<string, string> {
  const carrier = { ...headers };
  propagation.inject(context.active(), carrier);
  return carrier;
}

/** The trace being recorded or passed on here, 32 hexadecimal digits; undefined outside of one. */
export function activeTraceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId;
}

function outcomeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.name;
}

async function within(timeout: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeout);
  await Promise.race([promise, work.catch(() => undefined)]);
  clearTimeout(timer);
}
