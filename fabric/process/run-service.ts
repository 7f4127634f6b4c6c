/** The life of a process: settings, telemetry, identity, serving, registration, and an orderly end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../rpc/server.ts';
import type { RpcServer } from '../rpc/server.ts';
import type { ServiceRegistration } from '../rpc/implement.ts';
import type { Registration } from '../discovery/registration.ts';
import { startAdminServer } from '../telemetry/admin-server.ts';
import { announce } from './announce.ts';
import { failStart, onSignal } from './lifecycle.ts';
import { openRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';

/** What a process does once its runtime stands. */
export type Service = {
  /** The gRPC services it offers; none for a process that is no gRPC server. */
  registrations: ServiceRegistration[];
  /** Rejects while it cannot serve; asked by /readyz. */
  ready?: () => Promise<void>;
  /** Takes no new work and finishes what is open. */
  drain?: () => Promise<void>;
  /** Gives back what it holds, after draining. */
  close?: () => Promise<void>;
};

/** How long clients may take to hear of a leave by xDS, in ms, before calls are refused. */
const SPREAD = 300;
/** How long open calls may go on after that, in ms; the whole end stays below 10 s. */
const DRAIN = 5_000;

/**
 * Runs a service until SIGTERM or SIGINT. Exits 0 after an orderly end (within 10 s), 1 when it cannot
 * start, 78 (EX_CONFIG) when a setting is wrong; each with one log line that says why.
 */
export async function runService(name: string, build: (runtime: Runtime) => Promise<Service>): Promise<void> {
  try {
    await serve(name, build);
  } catch (error) {
    failStart(name, error);
  }
}

async function serve(name: string, build: (runtime: Runtime) => Promise<Service>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const runtime = await openRuntime(name);
  stack.defer(() => runtime.close());
  let serving = false;
  let service: Service | undefined;
  const admin = await startAdminServer({
    bind: runtime.settings['http.bind'],
    port: runtime.settings['http.port'],
    metrics: runtime.metrics,
    live: () => Promise.resolve(true),
    ready: () => readiness(runtime, serving, service),
  });
  stack.defer(() => admin.close());
  service = await build(runtime);
  const { close } = service;
  if (close !== undefined) stack.defer(close);
  const server = await listen(runtime, service);
  serving = true;
  server?.setServing(true);
  const registration = server === undefined ? undefined : await announce(runtime, server.port);
  runtime.log.info({ event: 'serving', grpcPort: server?.port, httpPort: admin.port }, `${name} is serving`);
  const signal = await onSignal();
  runtime.log.info({ event: 'stopping', signal }, `${name} is stopping`);
  serving = false;
  await leave({ service, server, registration });
  await stack.disposeAsync();
  process.exit(0);
}

async function listen(runtime: Runtime, service: Service): Promise<RpcServer | undefined> {
  if (service.registrations.length === 0) return undefined;
  const { settings, credentials, verifier, log, metrics } = runtime;
  const bind = `${settings['grpc.bind']}:${settings['grpc.port']}`;
  return startServer({
    bind,
    credentials,
    verifier,
    log,
    metrics: metrics.rpc,
    registrations: service.registrations,
  });
}

/** Deregister, wait for the news to spread, finish calls. */
async function leave(parts: {
  service: Service;
  server: RpcServer | undefined;
  registration: Registration | undefined;
}): Promise<void> {
  const { service, server, registration } = parts;
  if (registration !== undefined) {
    await registration.deregister();
    await sleep(SPREAD);
  }
  server?.setServing(false);
  await Promise.all([server?.drain(DRAIN), service.drain?.()]);
}

async function readiness(
  runtime: Runtime,
  serving: boolean,
  service: Service | undefined,
): Promise<{ ok: boolean; checks: Record<string, string> }> {
  const checks: Record<string, string> = { config: runtime.settings.source, serving: serving ? 'ok' : 'no' };
  try {
    await service?.ready?.();
    checks['service'] = 'ok';
  } catch (error) {
    checks['service'] = error instanceof Error ? error.message : 'not ready';
  }
  return { ok: serving && checks['service'] === 'ok', checks };
}
