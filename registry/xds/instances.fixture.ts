/** A registry for tests: leases in memory, the xDS port over them, and instances that come and go. */
import { pino } from 'pino';
import { MemoryLeases } from '../leases.ts';
import type { Lease } from '../leases.ts';
import type { Instance } from '../domain.ts';
import { startAds } from './ads.ts';
import type { AdsServer } from './ads.ts';

/** A running xDS port with its leases and the events that it logged. */
export type TestRegistry = {
  ads: AdsServer;
  leases: MemoryLeases;
  events: string[];
  register: (service: string, port: number, more?: Partial<Instance>) => Promise<Lease>;
};

/** Starts one; port 0 takes a free one. It keeps no snapshot, so each start is a start from nothing. */
export async function startTestRegistry(
  options: { port?: number; warmUp?: number } = {},
): Promise<TestRegistry> {
  const { port = 0, warmUp = 15_000 } = options;
  const leases = new MemoryLeases(() => performance.now());
  const events: string[] = [];
  const write = (line: string): void => void events.push((JSON.parse(line) as { event: string }).event);
  const log = pino({ level: 'info' }, { write });
  const ads = await startAds({ leases, log, bind: `127.0.0.1:${port}`, warmUp });
  return {
    ads,
    leases,
    events,
    register: (service, at, more = {}) => {
      const place = { service, instanceId: `${service}-${at}`, address: '127.0.0.1', port: at };
      const instance: Instance = { ...place, zone: '', weight: 1, metadata: {}, status: 'UP', ...more };
      return leases.register({ instance, ttl: 300_000, descriptorSet: new Uint8Array() });
    },
  };
}
