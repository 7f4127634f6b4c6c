/** JSON lines on standard output: what happened, to whom, in which trace. */
import pino from 'pino';
import type { DestinationStream } from 'pino';
import { trace } from '@opentelemetry/api';
import { describeError } from './error-fields.ts';

/** Fields first, then a short constant sentence: `log.info({ event: 'order_confirmed', orderId }, 'order confirmed')`. */
export type Logger = pino.Logger;

/** Who writes, and from which level on. */
export type LoggerOptions = {
  /** The service, "order". */
  service: string;
  /** The process among its replicas, "order-1". */
  instance: string;
  /** trace, debug, info, warn, error, fatal or silent; `logger.level` changes it while running. */
  level: string;
  /** Where lines go; standard output by default. */
  destination?: DestinationStream;
};

/**
 * A logger whose lines are `{time, level, service, instance, traceId, spanId, event?, msg}`: time in ISO 8601,
 * level by name, traceId and spanId of the active span. A bigint is written as a decimal string, because JSON
 * readers lose digits above 2^53; an error as type, message and stack only.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { service, instance, level, destination = pino.destination({ fd: 1, sync: true }) } = options;
  return pino(
    {
      level,
      base: { service, instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutBigints },
      mixin: traceFields,
      serializers: { err: describeError },
    },
    destination,
  );
}

function traceFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { traceId: span.traceId, spanId: span.spanId };
}

function withoutBigints(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(value, 0)]));
}

/** Deeper than this a log line is no longer read by anyone, and a cycle would never end. */
const DEEPEST = 5;

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || depth >= DEEPEST) return value;
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, depth + 1)]));
}
