/** The share of new traces that is recorded, changeable while running. */
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import type { Sampler } from '@opentelemetry/sdk-trace';

/** A sampler and its dial. */
export type LiveSampler = {
  sampler: Sampler;
  /** 0 records no new trace, 1 each; a trace that a caller began keeps the caller's decision. */
  setRate: (rate: number) => void;
};

/** Samples new traces by a ratio of their ids and follows the decision of a parent. */
export function liveSampler(rate: number): LiveSampler {
  let ratio = new TraceIdRatioBasedSampler(rate);
  const root: Sampler = {
    shouldSample: (context, traceId) => ratio.shouldSample(context, traceId),
    toString: () => ratio.toString(),
  };
  return {
    sampler: new ParentBasedSampler({ root }),
    setRate: (next) => {
      ratio = new TraceIdRatioBasedSampler(next);
    },
  };
}
