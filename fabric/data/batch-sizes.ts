/** How many items each transaction of a group commit wrote, as a histogram. */
import { Histogram } from 'prom-client';
import type { Metrics } from '../telemetry/metrics.ts';

/** Items; up to the largest batch there is by default. */
const BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Observers of batch sizes, by the step that is written; asked once per process. */
export function batchSizes({ registry }: Metrics): (step: string) => (size: number) => void {
  const sizes = new Histogram({
    name: 'mercer_batch_size',
    help: 'Items written in one transaction of a group commit, by step.',
    labelNames: ['step'],
    buckets: BUCKETS,
    registers: [registry],
  });
  return (step) => (size) => sizes.observe({ step }, size);
}
