/** Reads a trace from a collector that speaks Zipkin's v2 API, and waits until it is complete. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import { httpJson } from '../http-json.ts';

/** A span as Zipkin's v2 API shows it: times in microseconds. */
export type Span = {
  id: string;
  parentId?: string;
  name?: string;
  kind?: string;
  timestamp?: number;
  duration?: number;
  localEndpoint?: { serviceName?: string };
  tags?: Record<string, string>;
};

/** Exporters send every few seconds; a trace that is not there after this many ms will not come. */
const PATIENCE = 15_000;
const ASK_EVERY = 250;
/** As often in a row the same number of spans means that no more are coming. */
const STEADY = 6;
/** Every purchase passes these. */
const SERVICES = ['gateway', 'order', 'product', 'payment'];

/** The spans of a trace; rejects when none came in time. */
export async function readTrace(collector: string, traceId: string): Promise<Span[]> {
  let spans: Span[] = [];
  let steady = 0;
  for (let waited = 0; waited < PATIENCE && steady < STEADY; waited += ASK_EVERY) {
    await sleep(ASK_EVERY);
    const now = await ask(collector, traceId);
    steady = now.length === spans.length && isWhole(now) ? steady + 1 : 0;
    spans = now;
  }
  if (spans.length === 0) throw new CommandError(`the collector at ${collector} knows no trace ${traceId}`);
  return spans;
}

async function ask(collector: string, traceId: string): Promise<Span[]> {
  const { status, body } = await httpJson(`${collector}/api/v2/trace/${traceId}`, { timeout: 2_000 });
  return status === 200 ? (body as Span[]) : [];
}

/** Whether all services have sent spans, and no span's parent is missing. */
function isWhole(spans: readonly Span[]): boolean {
  const ids = new Set(spans.map(({ id }) => id));
  const services = new Set(spans.map(({ localEndpoint }) => localEndpoint?.serviceName));
  const orphans = spans.filter(({ parentId }) => parentId !== undefined && !ids.has(parentId));
  return orphans.length === 0 && SERVICES.every((service) => services.has(service));
}
