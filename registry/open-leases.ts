/** Opens the leases of this process: taken over from the snapshot, swept, and kept in it. */
import type { Logger } from '#fabric/telemetry/logger.ts';
import { MemoryLeases } from './leases.ts';
import type { Lease, LeaseStore } from './leases.ts';
import { readSnapshot, SnapshotWriter } from './snapshot.ts';

/** Where leases are kept, who hears of them, and a monotonic clock in ms. */
export type LeasesOptions = { readonly file: string; readonly log: Logger; readonly clock?: () => number };

/** Leases that sweep and save themselves until they are closed. */
export type OpenLeases = { readonly leases: LeaseStore; readonly close: () => Promise<void> };

/** Opens the leases kept in a file; each one of an earlier process has one full TTL to be renewed. */
export async function openLeases(options: LeasesOptions): Promise<OpenLeases> {
  const { log, clock = () => performance.now() } = options;
  const kept = await readSnapshot(options);
  const leases = new MemoryLeases(clock, kept);
  log.info({ event: 'leases_opened', restored: kept?.leases.length ?? 0 }, 'leases are open');
  const writer = new SnapshotWriter(options, () => leases.kept());
  const unsubscribe = leases.subscribe(() => writer.touch());
  const stop = sweepRegularly(leases, log);
  const close = async (): Promise<void> => {
    stop();
    unsubscribe();
    await writer[Symbol.asyncDispose]();
  };
  return { leases, close };
}

function sweepRegularly(leases: MemoryLeases, log: Logger): () => void {
  let timer = setTimeout(sweep, leases.sweep().wait);
  function sweep(): void {
    const { ended, stall, wait } = leases.sweep();
    if (stall > 0) log.warn({ event: 'sweep_stalled', lost: Math.round(stall) }, 'leases were prolonged');
    for (const lease of ended) logExpiry(log, lease);
    timer = setTimeout(sweep, wait);
  }
  return () => clearTimeout(timer);
}

function logExpiry(log: Logger, { instance, leaseId }: Lease): void {
  const { service, instanceId } = instance;
  log.warn({ event: 'lease_expired', service, instanceId, leaseId }, 'a lease ran out');
}
