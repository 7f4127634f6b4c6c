/** Finds traces by what one of their spans did. */
import { HttpError } from '../stand-in/http-error.ts';
import type { Span } from './span.ts';

/** What is looked for; absent members admit anything. */
export type TraceQuery = {
  serviceName?: string;
  remoteServiceName?: string;
  spanName?: string;
  /** Microseconds, both included. */
  minDuration?: number;
  maxDuration?: number;
  /** Each must be met by some span of the service: a tag or annotation, or a tag with its value. */
  annotations: { key: string; value?: string }[];
  /** Milliseconds since the epoch, from excluded, to included. */
  from: number;
  to: number;
  limit: number;
};

const DAY = 86_400_000;
const DEFAULT_LIMIT = 10;
const MOST_TRACES = 1_000;

/** Reads Zipkin's parameters of GET /api/v2/traces; throws 400 for a number that is none. */
export function readTraceQuery(query: URLSearchParams, now: number): TraceQuery {
  const to = number(query, 'endTs') ?? now;
  const minDuration = number(query, 'minDuration');
  const maxDuration = number(query, 'maxDuration');
  const serviceName = name(query, 'serviceName');
  const remoteServiceName = name(query, 'remoteServiceName');
  const spanName = name(query, 'spanName');
  return {
    ...(serviceName === undefined ? {} : { serviceName }),
    ...(remoteServiceName === undefined ? {} : { remoteServiceName }),
    ...(spanName === undefined ? {} : { spanName }),
    ...(minDuration === undefined ? {} : { minDuration }),
    ...(maxDuration === undefined ? {} : { maxDuration }),
    annotations: readAnnotations(query.get('annotationQuery') ?? ''),
    from: to - (number(query, 'lookback') ?? DAY),
    to,
    limit: Math.min(number(query, 'limit') ?? DEFAULT_LIMIT, MOST_TRACES),
  };
}

/** The traces that match, as many as are asked for; `traces` come newest first. */
export function findTraces(traces: Iterable<Span[]>, query: TraceQuery): Span[][] {
  const found: Span[][] = [];
  for (const trace of traces) {
    if (found.length >= query.limit) break;
    if (matches(trace, query)) found.push(trace);
  }
  return found;
}

function matches(trace: readonly Span[], query: TraceQuery): boolean {
  const { serviceName, annotations, from, to } = query;
  const began = beginOf(trace) / 1_000;
  if (began <= from || began > to) return false;
  const own = trace.filter(
    (span) => serviceName === undefined || span.localEndpoint?.serviceName === serviceName,
  );
  return (
    own.some((span) => fits(span, query)) &&
    annotations.every((wanted) => own.some((span) => has(span, wanted)))
  );
}

/** When a trace began, microseconds since the epoch; 0 when none of its spans says. */
export function beginOf(trace: readonly Span[]): number {
  const times = trace.flatMap(({ timestamp }) => timestamp ?? []);
  return times.length === 0 ? 0 : Math.min(...times);
}

function fits({ name: spanName = '', remoteEndpoint, duration = 0 }: Span, query: TraceQuery): boolean {
  const { minDuration = 0, maxDuration = Infinity } = query;
  return (
    (query.spanName === undefined || spanName.toLowerCase() === query.spanName) &&
    (query.remoteServiceName === undefined || remoteEndpoint?.serviceName === query.remoteServiceName) &&
    duration >= minDuration &&
    duration <= maxDuration
  );
}

function has(
  { tags = {}, annotations = [] }: Span,
  { key, value }: { key: string; value?: string },
): boolean {
  if (value !== undefined) return Object.hasOwn(tags, key) && tags[key] === value;
  return Object.hasOwn(tags, key) || annotations.some((annotation) => annotation.value === key);
}

/** Zipkin's form: `error and http.method=GET`. */
function readAnnotations(text: string): TraceQuery['annotations'] {
  const terms = text.split(' and ').map((term) => term.trim());
  return terms
    .filter((term) => term !== '')
    .map((term) => {
      const at = term.indexOf('=');
      return at < 0 ? { key: term } : { key: term.slice(0, at), value: term.slice(at + 1) };
    });
}

/** Names are compared without regard to case; "all" is how Zipkin's own pages say that any will do. */
function name(query: URLSearchParams, key: string): string | undefined {
  const value = query.get(key)?.trim().toLowerCase();
  return value === '' || value === 'all' ? undefined : value;
}

function number(query: URLSearchParams, key: string): number | undefined {
  const text = query.get(key);
  if (text === null || text === '') return undefined;
  if (/^\d{1,16}$/u.test(text)) return Number(text);
  throw new HttpError(400, 'query_invalid', { message: `${key} must be a whole number` });
}
