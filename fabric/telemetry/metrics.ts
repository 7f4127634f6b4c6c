/** What a process counts and measures, in Prometheus' terms. */
import { status } from '@grpc/grpc-js';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Calls by method and code; names and labels are those of go-grpc-middleware, so that its dashboards fit. */
export type RpcMetrics = {
  /** A call that this process answered; path is "/package.Service/Method". */
  served: (path: string, code: status, seconds: number) => void;
  /** A call that this process made. */
  called: (path: string, code: status, seconds: number) => void;
};

/** An answered HTTP request. */
export type HttpObservation = {
  method: string;
  /** The route's template; one name for all that match none, so that callers cannot make series. */
  route: string;
  status: number;
  seconds: number;
};

/** The metrics of one process. */
export type Metrics = {
  registry: Registry;
  rpc: RpcMetrics;
  http: { served: (observation: HttpObservation) => void };
  /** A value that is read when it is asked for, such as the idle connections of a pool. */
  gauge: (name: string, help: string, read: () => number) => void;
};

/** Seconds; from a cache hit to the longest write deadline. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry of its own with the process defaults (CPU, memory, event-loop delay, GC), labelled by service. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    rpc: { served: rpcObserver(registry, 'server'), called: rpcObserver(registry, 'client') },
    http: { served: httpObserver(registry) },
    gauge: (name, help, read) => {
      const gauge = new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      });
      registry.registerMetric(gauge);
    },
  };
}

function rpcObserver(registry: Registry, side: 'server' | 'client'): RpcMetrics['served'] {
  const registers = [registry];
  const handled = new Counter({
    name: `grpc_${side}_handled_total`,
    help: `Calls completed on the ${side}, by method and code.`,
    labelNames: ['grpc_service', 'grpc_method', 'grpc_code'],
    registers,
  });
  const handling = new Histogram({
    name: `grpc_${side}_handling_seconds`,
    help: `Duration of calls on the ${side}, by method.`,
    labelNames: ['grpc_service', 'grpc_method'],
    buckets: BUCKETS,
    registers,
  });
  return (path, code, seconds) => {
    const slash = path.lastIndexOf('/');
    const labels = { grpc_service: path.slice(1, slash), grpc_method: path.slice(slash + 1) };
    handled.inc({ ...labels, grpc_code: status[code] });
    handling.observe(labels, seconds);
  };
}

function httpObserver(registry: Registry): (observation: HttpObservation) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'HTTP requests answered, by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests, by method and route.',
    labelNames: ['method', 'route'],
    buckets: BUCKETS,
    registers,
  });
  return ({ method, route, status: answered, seconds }) => {
    requests.inc({ method, route, status: String(answered) });
    duration.observe({ method, route }, seconds);
  };
}
