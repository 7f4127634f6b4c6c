/** Tells whether a port can be had before a program that explains itself badly is asked to take it. */
import { createServer } from 'node:net';

/** Rejects with a sentence when somebody listens on a port of 127.0.0.1. */
export function demandFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (cause) =>
      reject(new Error(`port ${port} is taken, PostgreSQL needs it`, { cause })),
    );
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
}
