/** RegistryService: what instances and operators ask of the registry. */
import { status } from '@grpc/grpc-js';
import type {
  KeepAliveRequest,
  KeepAliveResponse,
  RegisterRequest,
  RegisterResponse,
  RegistryServiceService,
  SetInstanceStatusRequest,
  SetInstanceStatusResponse,
  WatchInstancesRequest,
  WatchInstancesResponse,
} from '#gen/mercer/registry/v1/registry_service.ts';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import { unimplemented } from '#fabric/rpc/implement.ts';
import type { Handlers } from '#fabric/rpc/service-definition.ts';
import { badRequest, StatusError } from '#fabric/rpc/status-error.ts';
import type { Logger } from '#fabric/telemetry/logger.ts';
import { requireReadable } from './descriptor-set.ts';
import { clampTtl, problemOf } from './domain.ts';
import { fromDuration, fromInstance, fromLease, toDuration, toInstance, toStatus } from './instances.ts';
import type { Lease, LeaseStore } from './leases.ts';
import { changesOf } from './watch.ts';

/** What the handlers stand on. */
export type RegistryOptions = {
  readonly leases: LeaseStore;
  readonly log: Logger;
  /** Monotonic, in ms; the same that the leases were opened with. */
  readonly clock: () => number;
  /** Aborts when the registry stops, so that open streams end. */
  readonly stopping: AbortSignal;
};

/**
 * The handlers. A workload may speak for instances of its own service only: `self` of the access option is
 * the service that the request, or the lease that it names, belongs to.
 */
export function registryService(options: RegistryOptions): Handlers<typeof RegistryServiceService> {
  const { leases, clock } = options;
  return {
    register: (request, call) => register(options, request, call),
    heartbeat: async ({ leaseId }, call) => ({ expireTime: await renew(options, leaseId, call) }),
    keepAlive: (requests, call) => keepAlive(options, requests, call),
    deregister: async ({ leaseId }, call) => {
      const { instance } = ownLease(options, leaseId, call);
      if (!(await leases.end(leaseId))) throw unknownLease(leaseId);
      logInstance(options, 'instance_deregistered', instance);
      return {};
    },
    setInstanceStatus: (request, call) => setInstanceStatus(options, request, call),
    listInstances: ({ service }) => {
      const found = leases.leases(service === '' ? undefined : service).sort(byName);
      return Promise.resolve({ instances: found.map((lease) => fromLease(lease, clock())) });
    },
    setTraffic: () => Promise.reject(unimplemented('SetTraffic')),
    watchInstances: (request, call) => watchInstances(options, request, call),
  };
}

async function register(
  options: RegistryOptions,
  request: RegisterRequest,
  call: CallContext,
): Promise<RegisterResponse> {
  if (request.instance === undefined) throw badRequest('instance', 'must be given');
  const instance = toInstance(request.instance);
  requireOwn(options, instance.service, call);
  const problem = problemOf(instance);
  if (problem !== undefined) throw badRequest(problem.field, problem.description);
  requireReadable(request.descriptorSet);
  const ttl = clampTtl(fromDuration(request.ttl));
  const lease = await options.leases.register({ instance, ttl, descriptorSet: request.descriptorSet });
  logInstance(options, 'instance_registered', lease.instance);
  return { leaseId: lease.leaseId, ttl: toDuration(ttl) };
}

async function* keepAlive(
  options: RegistryOptions,
  requests: AsyncIterable<KeepAliveRequest>,
  call: CallContext,
): AsyncIterable<KeepAliveResponse> {
  const iterator = requests[Symbol.asyncIterator]();
  for (;;) {
    const next = await unlessAborted(iterator.next(), options.stopping);
    if (next === undefined) throw stoppingNow();
    if (next.done === true) return;
    yield { expireTime: await renew(options, next.value.leaseId, call) };
  }
}

async function* watchInstances(
  { leases, stopping }: RegistryOptions,
  { service }: WatchInstancesRequest,
  call: CallContext,
): AsyncIterable<WatchInstancesResponse> {
  for await (const _ of changesOf(leases, service, AbortSignal.any([call.signal, stopping]))) {
    const instances = leases.leases(service).map(({ instance }) => fromInstance(instance));
    yield { exists: leases.knows(service), instances };
  }
  if (stopping.aborted) throw stoppingNow();
}

/** Renews the caller's lease; answers when it ends without another heartbeat, by the wall clock. */
async function renew(options: RegistryOptions, leaseId: string, call: CallContext): Promise<Date> {
  ownLease(options, leaseId, call);
  const lease = await options.leases.renew(leaseId);
  if (lease === undefined) throw unknownLease(leaseId);
  return new Date(Date.now() + lease.term.expiresAt - options.clock());
}

async function setInstanceStatus(
  options: RegistryOptions,
  { instanceId, status: asked, reason }: SetInstanceStatusRequest,
  call: CallContext,
): Promise<SetInstanceStatusResponse> {
  const operator = isAdmin(call);
  const lease = instanceFor(options, instanceId, call);
  if (!operator) requireOwn(options, lease.instance.service, call);
  const word = toStatus(asked);
  const changed = await options.leases.setStatus({ lease, status: word, operator });
  if (changed === undefined) throw unknownInstance(instanceId);
  const by = operator ? call.user?.subject : call.caller;
  const audit = { event: 'instance_status_set', instanceId, status: word, by, reason };
  options.log.info({ ...audit, service: lease.instance.service }, 'an instance was told its status');
  return { instance: fromInstance(changed.instance) };
}

/** Instance ids are unique within a service; a workload means its own service's when it has one of that id. */
function instanceFor({ leases }: RegistryOptions, instanceId: string, call: CallContext): Lease {
  const found = leases.leases().filter(({ instance }) => instance.instanceId === instanceId);
  const own = found.find(({ instance }) => call.caller === `svc/${instance.service}`);
  const [first, ...others] = own === undefined ? found : [own];
  if (first === undefined) throw unknownInstance(instanceId);
  if (others.length === 0) return first;
  const services = found.map(({ instance }) => instance.service).join(', ');
  throw new StatusError(status.FAILED_PRECONDITION, `${services} have an instance ${instanceId} each`, {
    reason: 'INSTANCE_AMBIGUOUS',
    metadata: { instance_id: instanceId, services },
  });
}

function ownLease(options: RegistryOptions, leaseId: string, call: CallContext): Lease {
  const lease = options.leases.find(leaseId);
  if (lease === undefined) throw unknownLease(leaseId);
  requireOwn(options, lease.instance.service, call);
  return lease;
}

/** A service's name belongs to the certificates that carry it; whoever tries another's is written down. */
function requireOwn({ log }: RegistryOptions, service: string, { caller, method }: CallContext): void {
  if (caller === `svc/${service}`) return;
  log.warn({ event: 'audit_not_own_service', caller, service, method }, 'a workload spoke for another');
  throw new StatusError(status.PERMISSION_DENIED, `${caller ?? 'nobody'} may not speak for ${service}`, {
    reason: 'NOT_OWN_SERVICE',
    metadata: { service, caller: caller ?? '' },
  });
}

function isAdmin(call: CallContext): boolean {
  return call.user?.roles.includes('ADMIN') === true;
}

function logInstance({ log }: RegistryOptions, event: string, instance: Lease['instance']): void {
  const { service, instanceId, address, port } = instance;
  log.info({ event, service, instanceId, address, port }, 'the instances of a service changed');
}

function byName(one: Lease, other: Lease): number {
  const order = compare(one.instance.service, other.instance.service);
  return order === 0 ? compare(one.instance.instanceId, other.instance.instanceId) : order;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** The outcome of work; undefined as soon as the signal aborts. Leaves no listener behind. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = (): void => resolve(undefined);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function unknownLease(leaseId: string): StatusError {
  const options = { reason: 'LEASE_NOT_FOUND', metadata: { lease_id: leaseId } };
  return new StatusError(status.NOT_FOUND, 'the lease is unknown: register again', options);
}

function unknownInstance(instanceId: string): StatusError {
  const options = { reason: 'INSTANCE_NOT_FOUND', metadata: { instance_id: instanceId } };
  return new StatusError(status.NOT_FOUND, `no instance ${instanceId} is registered`, options);
}

function stoppingNow(): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the registry is stopping', { reason: 'REGISTRY_STOPPING' });
}
