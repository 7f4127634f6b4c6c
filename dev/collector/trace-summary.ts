/** What a trace is called and how long it took. */
import type { Span } from './span.ts';
import { beginOf } from './trace-query.ts';
import { treeOf } from './trace-tree.ts';

/** A trace in one line. */
export type TraceSummary = {
  traceId: string;
  /** Name and service of its first root. */
  name: string;
  service: string;
  /** Microseconds since the epoch. */
  began: number;
  /** Microseconds from the first begin to the last end. */
  duration: number;
  spans: number;
  services: string[];
  failed: boolean;
};

/** Sums a trace up; it has at least one span. */
export function summaryOf(trace: readonly Span[]): TraceSummary {
  const [root] = treeOf(trace);
  const began = beginOf(trace);
  const ends = trace.map(({ timestamp = began, duration = 0 }) => timestamp + duration);
  return {
    traceId: root?.span.traceId ?? '',
    name: root?.span.name ?? 'unnamed',
    service: root?.span.localEndpoint?.serviceName ?? 'unknown',
    began,
    duration: Math.max(...ends) - began,
    spans: trace.length,
    services: [...new Set(trace.flatMap(({ localEndpoint }) => localEndpoint?.serviceName ?? []))].toSorted(),
    failed: trace.some(({ tags }) => tags?.['error'] !== undefined),
  };
}
