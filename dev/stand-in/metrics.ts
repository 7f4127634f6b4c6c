/** What a stand-in counts, in Prometheus' terms. */
import { Counter, Registry, collectDefaultMetrics } from 'prom-client';
import type { Handler } from './router.ts';
import type { OnServed } from './web-server.ts';

/** The metrics of one stand-in. */
export type StandInMetrics = { served: OnServed; page: Handler };

/**
 * Process defaults and requests, named as the fabric names them. The fabric's own metrics know gRPC, whose library
 * takes 30 MB that a stand-in has no other use for.
 */
export function standInMetrics(service: string): StandInMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'HTTP requests answered, by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  return {
    served: ({ method, route, status }) => requests.inc({ method, route, status: String(status) }),
    page: async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  };
}
