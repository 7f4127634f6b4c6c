/** Who holds a lease: the store's interface, and the one that keeps them in memory. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { compensated, effective, expired, OVERRIDE_MEMORY, renewed, stalled, untilSweep } from './domain.ts';
import type { Instance, Status, Term } from './domain.ts';
import type { KeptLeases, KeptOverride } from './snapshot.ts';

/** A registered instance and its lease. */
export type Lease = {
  readonly leaseId: string;
  /** Its status is the effective one: an operator's word goes over its own. */
  readonly instance: Instance;
  readonly term: Term;
  /** Taken over from before a restart, and not renewed since. */
  readonly restored: boolean;
};

/** An instance that wants a lease. */
export type Registration = {
  readonly instance: Instance;
  /** In ms, already clamped. */
  readonly ttl: number;
  /** Serialized FileDescriptorSet of what it serves; empty for none. */
  readonly descriptorSet: Uint8Array;
};

/** A change of status, by an operator or by the service itself. */
export type StatusChange = { readonly lease: Lease; readonly status: Status; readonly operator: boolean };

/**
 * The registry's truth. Changes may go over a network, so they are promises; questions are answered from
 * memory. A driver that shares leases between registries keeps the same lease ids in all of them.
 */
export type LeaseStore = {
  /** Grants a lease; the same service and instanceId replace an older one, whose lease ends. */
  register(registration: Registration): Promise<Lease>;
  /** Renews a lease; undefined when it is unknown. */
  renew(leaseId: string): Promise<Lease | undefined>;
  /** Ends a lease; false when it is unknown. */
  end(leaseId: string): Promise<boolean>;
  /**
   * Sets what an instance may be asked to do. An operator's word outlives re-registration; an operator's UP
   * ends it, and is the instance's own status from then on. Undefined when the lease has ended.
   */
  setStatus(change: StatusChange): Promise<Lease | undefined>;
  find(leaseId: string): Lease | undefined;
  /** The leases of a service in the order in which they registered; of all services without one. */
  leases(service?: string): Lease[];
  /** Whether the service ever had an instance, as far as the store remembers. */
  knows(service: string): boolean;
  /** Every service it knows. */
  services(): string[];
  /** What the service serves, from its latest registration that said so, while it has an instance. */
  descriptorSet(service: string): Uint8Array | undefined;
  /** Calls the listener with the service's name after each change of its instances; returns its end. */
  subscribe(listener: (service: string) => void): () => void;
};

/** The most leases that are held, and names of services that are remembered. */
const MOST_LEASES = 100_000;
const MOST_SERVICES = 10_000;

type Entry = Omit<Lease, 'instance'> & { readonly own: Instance };
type Override = { readonly status: Status; /** When its instance left, monotonic. */ goneSince?: number };
type Service = { readonly entries: Map<string, Entry>; descriptorSet?: Uint8Array };

/** Leases in the memory of this process, on a monotonic clock in ms that is given in. */
export class MemoryLeases implements LeaseStore {
  readonly #clock: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #services = new Map<string, Service>();
  readonly #overrides = new Map<string, Override>();
  readonly #listeners = new Set<(service: string) => void>();
  #swept: number;
  #planned = 0;

  /** Takes over what an earlier process kept, each lease with one full TTL: nobody could renew meanwhile. */
  constructor(clock: () => number, kept?: KeptLeases) {
    this.#clock = clock;
    this.#swept = clock();
    for (const service of kept?.services ?? []) this.#service(service);
    for (const { leaseId, instance, ttl } of kept?.leases ?? [])
      this.#put({ leaseId, own: instance, term: renewed(ttl, clock()), restored: true });
    for (const { service, instanceId, status } of kept?.overrides ?? [])
      this.#overrides.set(keyOf(service, instanceId), { status, goneSince: clock() });
    for (const [service, set] of Object.entries(kept?.descriptorSets ?? {}))
      this.#service(service).descriptorSet = Buffer.from(set, 'base64');
  }

  register({ instance, ttl, descriptorSet }: Registration): Promise<Lease> {
    const older = this.#services.get(instance.service)?.entries.get(instance.instanceId);
    if (older === undefined && this.#entries.size >= MOST_LEASES) return Promise.reject(full());
    if (older !== undefined) this.#drop(older);
    const term = renewed(ttl, this.#clock());
    const entry = { leaseId: randomUUID(), own: instance, term, restored: false };
    const service = this.#put(entry);
    if (descriptorSet.length > 0) service.descriptorSet = descriptorSet;
    this.#changed(instance.service);
    return Promise.resolve(this.#view(entry));
  }

  renew(leaseId: string): Promise<Lease | undefined> {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined) return Promise.resolve(undefined);
    const again = { ...entry, term: renewed(entry.term.ttl, this.#clock()), restored: false };
    this.#replace(again);
    return Promise.resolve(this.#view(again));
  }

  end(leaseId: string): Promise<boolean> {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined) return Promise.resolve(false);
    this.#drop(entry);
    this.#changed(entry.own.service);
    return Promise.resolve(true);
  }

  setStatus({ lease, status: word, operator }: StatusChange): Promise<Lease | undefined> {
    const entry = this.#entries.get(lease.leaseId);
    if (entry === undefined) return Promise.resolve(undefined);
    const { service, instanceId } = entry.own;
    const overrides = operator && word !== 'UP';
    if (overrides) this.#overrides.set(keyOf(service, instanceId), { status: word });
    else if (operator) this.#overrides.delete(keyOf(service, instanceId));
    const changed = overrides ? entry : { ...entry, own: { ...entry.own, status: word } };
    this.#replace(changed);
    this.#changed(service);
    return Promise.resolve(this.#view(changed));
  }

  find(leaseId: string): Lease | undefined {
    const entry = this.#entries.get(leaseId);
    return entry === undefined ? undefined : this.#view(entry);
  }

  leases(service?: string): Lease[] {
    const entries = service === undefined ? this.#entries : (this.#services.get(service)?.entries ?? []);
    return [...entries.values()].map((entry) => this.#view(entry));
  }

  knows(service: string): boolean {
    return this.#services.has(service);
  }

  services(): string[] {
    return [...this.#services.keys()];
  }

  descriptorSet(service: string): Uint8Array | undefined {
    return this.#services.get(service)?.descriptorSet;
  }

  subscribe(listener: (service: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends the leases that ran out; answers them, and how long the next sweep may wait, in ms. */
  sweep(): { ended: Lease[]; stall: number; wait: number } {
    const now = this.#clock();
    const stall = stalled(now - this.#swept, this.#planned);
    if (stall > 0) this.#compensate(stall, now);
    const over = [...this.#entries.values()].filter(({ term }) => expired(term, now));
    const ended = over.map((entry) => this.#view(entry));
    for (const entry of over) this.#drop(entry);
    for (const service of new Set(over.map(({ own }) => own.service))) this.#changed(service);
    this.#forgetOverrides(now);
    this.#swept = now;
    this.#planned = untilSweep(this.#terms(), now);
    return { ended, stall, wait: this.#planned };
  }

  /** What a later process needs in order to go on. */
  kept(): KeptLeases {
    const entries = [...this.#entries.values()];
    const sets = [...this.#services].flatMap(([name, { descriptorSet }]) =>
      descriptorSet === undefined ? [] : [[name, Buffer.from(descriptorSet).toString('base64')] as const],
    );
    return {
      services: this.services(),
      leases: entries.map(({ leaseId, own, term }) => ({ leaseId, instance: own, ttl: term.ttl })),
      overrides: [...this.#overrides].map(([key, { status: word }]) => ({ ...placeOf(key), status: word })),
      descriptorSets: Object.fromEntries(sets),
    };
  }

  *#terms(): Iterable<Term> {
    for (const { term } of this.#entries.values()) yield term;
  }

  #compensate(stall: number, now: number): void {
    for (const entry of this.#entries.values())
      this.#replace({ ...entry, term: compensated(entry.term, stall, now) });
  }

  #forgetOverrides(now: number): void {
    for (const [key, { goneSince }] of this.#overrides)
      if (goneSince !== undefined && now - goneSince > OVERRIDE_MEMORY) this.#overrides.delete(key);
  }

  #view({ own, ...lease }: Entry): Lease {
    const override = this.#overrides.get(keyOf(own.service, own.instanceId));
    return { ...lease, instance: { ...own, status: effective(own.status, override?.status) } };
  }

  #service(name: string): Service {
    const known = this.#services.get(name);
    if (known !== undefined) return known;
    if (this.#services.size >= MOST_SERVICES) this.#forgetService();
    const service: Service = { entries: new Map() };
    this.#services.set(name, service);
    return service;
  }

  #forgetService(): void {
    for (const [name, { entries }] of this.#services) {
      if (entries.size > 0) continue;
      this.#services.delete(name);
      this.#changed(name);
      return;
    }
  }

  #put(entry: Entry): Service {
    const { service: name, instanceId } = entry.own;
    const service = this.#service(name);
    service.entries.set(instanceId, entry);
    this.#entries.set(entry.leaseId, entry);
    const override = this.#overrides.get(keyOf(name, instanceId));
    if (override !== undefined) delete override.goneSince;
    return service;
  }

  /** Keeps the entry's place in the order of registration. */
  #replace(entry: Entry): void {
    this.#entries.set(entry.leaseId, entry);
    this.#services.get(entry.own.service)?.entries.set(entry.own.instanceId, entry);
  }

  #drop({ leaseId, own }: Entry): void {
    this.#entries.delete(leaseId);
    const service = this.#services.get(own.service);
    service?.entries.delete(own.instanceId);
    if (service?.entries.size === 0) delete service.descriptorSet;
    const override = this.#overrides.get(keyOf(own.service, own.instanceId));
    if (override !== undefined) override.goneSince = this.#clock();
  }

  #changed(service: string): void {
    for (const listener of this.#listeners) listener(service);
  }
}

/** Service names hold no slash. */
function keyOf(service: string, instanceId: string): string {
  return `${service}/${instanceId}`;
}

function placeOf(key: string): Omit<KeptOverride, 'status'> {
  const slash = key.indexOf('/');
  return { service: key.slice(0, slash), instanceId: key.slice(slash + 1) };
}

function full(): StatusError {
  return new StatusError(status.RESOURCE_EXHAUSTED, `the registry holds ${MOST_LEASES} leases already`, {
    reason: 'REGISTRY_FULL',
  });
}
