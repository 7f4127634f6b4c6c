/** How a process of a running fabric is, in the words of grpc.health.v1. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { ProcessEntry } from './fabric-state.ts';
import { isHealthy, readinessUrl } from './health.ts';

/** SERVING when it takes work now; NOT_SERVING when it does not, or does not run. */
export type Health = 'SERVING' | 'NOT_SERVING';

/** Asks a process itself; at most 1 s. */
export async function healthOf({ pid, ports }: ProcessEntry): Promise<Health> {
  if (pid === undefined) return 'NOT_SERVING';
  const healthy =
    ports['postgres'] === undefined ? await isHealthy(readinessUrl(ports)) : await accepts(ports['postgres']);
  return healthy ? 'SERVING' : 'NOT_SERVING';
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
