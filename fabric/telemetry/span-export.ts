/** Sends finished spans to a Zipkin collector, and never lets a sick collector be felt. */
import { ExportResultCode } from '@opentelemetry/core';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

/** Spans leave at most this many ms after they end. */
const DELAY = 500;
/** A batch that takes longer, in ms, is given up. */
const LONGEST_EXPORT = 1_500;
/** Finished spans held back; more are dropped. */
const LONGEST_QUEUE = 4_096;
/** Batches on their way: the exporter has no timeout of its own, so a stalled collector would collect sockets. */
const MOST_UNDER_WAY = 4;

/** A processor that exports in batches, and the number of spans it could not deliver. */
export type SpanExport = { processor: SpanProcessor; lost: () => number };

/** Exports to `${url}/api/v2/spans` (Zipkin API v2). */
export function zipkinExport(url: string): SpanExport {
  let lost = 0;
  const zipkin = new ZipkinExporter({ url: `${url.replace(/\/+$/u, '')}/api/v2/spans` });
  const exporter = bounded(zipkin, (spans) => {
    lost += spans;
  });
  const processor = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: DELAY,
    exportTimeoutMillis: 2 * LONGEST_EXPORT,
    maxQueueSize: LONGEST_QUEUE,
  });
  return { processor, lost: () => lost };
}

function bounded(exporter: SpanExporter, onLoss: (spans: number) => void): SpanExporter {
  let underWay = 0;
  return {
    export: (spans, done) => {
      const settle = once((code: ExportResultCode): void => {
        clearTimeout(timer);
        if (code === ExportResultCode.FAILED) onLoss(spans.length);
        done({ code });
      });
      const timer = setTimeout(settle, LONGEST_EXPORT, ExportResultCode.FAILED);
      if (underWay >= MOST_UNDER_WAY) {
        settle(ExportResultCode.FAILED);
        return;
      }
      underWay += 1;
      exporter.export(spans, ({ code }) => {
        underWay -= 1;
        settle(code);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

function once<T>(work: (value: T) => void): (value: T) => void {
  let done = false;
  return (value) => {
    if (done) return;
    done = true;
    work(value);
  };
}
