/** A gRPC server over mutual TLS with health and reflection, guarded by the call interceptor. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { WorkloadCredentials } from '../identity/workload.ts';
import { callInterceptor } from './call-interceptor.ts';
import type { CallPolicy } from './call-interceptor.ts';
import { methodOf } from './descriptors.ts';
import type { ServiceRegistration } from './implement.ts';
import { reflection } from './reflection.ts';
import { warmUp } from './validation.ts';

/** Where and how to serve. */
export type ServerOptions = CallPolicy & {
  /** "127.0.0.1:50051"; port 0 takes a free one. */
  bind: string;
  credentials: WorkloadCredentials;
  registrations: ServiceRegistration[];
};

/** A running server. */
export type RpcServer = {
  port: number;
  /** What grpc.health.v1 answers, for the process and for each of its services. */
  setServing(serving: boolean): void;
  /** Takes no new calls, lets open ones finish for `timeout` ms, then ends them. */
  drain(timeout: number): Promise<void>;
};

/** Limits of findings on hostile peers: one slow or greedy client must not starve the others. */
const LIMITS = {
  'grpc.max_concurrent_streams': 1000,
  'grpc.max_receive_message_length': 1024 * 1024,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 2_000,
};

/**
 * Starts serving, as NOT_SERVING until told otherwise. Fails when the port is taken, and when a method has
 * no access option (design: default deny, and loudly).
 */
export async function startServer(options: ServerOptions): Promise<RpcServer> {
  const { registrations } = options;
  for (const path of registrations.flatMap((registration) => registration.paths)) requireAccess(path);
  const names = serviceNames(registrations);
  const server = new Server({ interceptors: [callInterceptor(options)], ...LIMITS });
  for (const { definition, implementation } of registrations) server.addService(definition, implementation);
  for (const { definition, implementation } of reflection(names))
    server.addService(definition, implementation);
  const health = new HealthImplementation();
  health.addToServer(server);
  const port = await bind(server, options);
  const setServing = (serving: boolean): void => {
    for (const name of ['', ...names]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  setServing(false);
  return { port, setServing, drain: (timeout) => drain(server, timeout) };
}

function requireAccess(path: string): void {
  const method = methodOf(path);
  if (method === undefined || method.access.length === 0)
    throw new Error(`${path} has no mercer.access.v1.access option`);
  warmUp(method.input);
}

function serviceNames(registrations: ServiceRegistration[]): string[] {
  return [
    ...new Set(
      registrations.flatMap(({ paths }) => paths.map((path) => path.slice(1, path.indexOf('/', 1)))),
    ),
  ];
}

function bind(server: Server, { bind: address, credentials }: ServerOptions): Promise<number> {
  const { ca, key, cert } = credentials;
  const secure = ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, secure, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

function drain(server: Server, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, timeout);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}
