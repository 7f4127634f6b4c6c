/** What is published: every resource checked and serialized once, with one version for each type. */
import { LRUCache } from 'lru-cache';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { LeaseStore } from '../leases.ts';
import { CLUSTER, encode, ENDPOINTS, LISTENER, pack } from './envoy-protos.ts';
import type { Any } from './envoy-protos.ts';
import { assignmentProblem, clusterProblem, listenerProblem } from './resource-rules.ts';
import { answerable, assignment, cluster, filters, listener, routes } from './resources.ts';

/** The types that are served, in the order in which an update must reach a client: make before break. */
export const RESOURCE_TYPES = [CLUSTER, ENDPOINTS, LISTENER] as const;
/** Type URL of a served type. */
export type ResourceType = (typeof RESOURCE_TYPES)[number];

/** Where endpoints come from, and who hears of a refused resource. */
export type ResourceTableOptions = {
  readonly leases: LeaseStore;
  readonly log: Logger;
  /** Tells the versions of this process from those of an earlier one. */
  readonly epoch: string;
};

const MOST_NAMES = 10_000;
/** Of serialized responses with their keys, in bytes; those of older versions leave first. */
const MOST_RESPONSES = 16 * 1024 * 1024;

/** The resources of every answerable name. Endpoints change by `refresh` only, together with their version. */
export class ResourceTable {
  readonly #options: ResourceTableOptions;
  readonly #endpoints = new Map<string, Any>();
  readonly #named = new LRUCache<string, Any>({ max: MOST_NAMES });
  readonly #responses = new LRUCache<string, Buffer>({
    maxSize: MOST_RESPONSES,
    sizeCalculation: (bytes, key) => bytes.length + key.length,
  });
  readonly #versions = new Map<ResourceType, number>();

  constructor(options: ResourceTableOptions) {
    this.#options = options;
    for (const service of options.leases.services()) this.refresh(service);
  }

  /** Publishes a service's endpoints anew; answers whether they differ from what was published. */
  refresh(service: string): boolean {
    const { leases } = this.#options;
    const next = this.#assignment(service);
    const before = this.#endpoints.get(service) ?? noEndpoints(service);
    if (leases.knows(service)) this.#endpoints.set(service, next ?? before);
    else this.#endpoints.delete(service);
    if (next === undefined || sameBytes(before, next)) return false;
    this.#versions.set(ENDPOINTS, this.#number(ENDPOINTS) + 1);
    return true;
  }

  /** A DiscoveryResponse without its nonce; the same bytes for all who are told the same. */
  response(type: ResourceType, names: readonly string[]): Buffer {
    const version = this.version(type);
    const key = `${type} ${version} ${names.join(' ')}`;
    const shared = this.#responses.get(key);
    if (shared !== undefined) return shared;
    const resources = names.map((name) => this.#resource(type, name)).filter((each) => each !== undefined);
    const message = { type_url: type, version_info: version, resources };
    const bytes = encode('envoy.service.discovery.v3.DiscoveryResponse', message);
    this.#responses.set(key, bytes);
    return bytes;
  }

  /** Opaque to clients; a restart begins another epoch. */
  version(type: ResourceType): string {
    return `${this.#options.epoch}.${this.#number(type)}`;
  }

  /** Whether a version that a client brings was given by an earlier process. */
  foreign(version: string): boolean {
    return version !== '' && !version.startsWith(`${this.#options.epoch}.`);
  }

  /** Whether a service has endpoints of its own here, be they none. */
  publishes(service: string): boolean {
    return this.#endpoints.has(service);
  }

  /** Whether nobody is registered under a name. */
  vacant(service: string): boolean {
    return this.#options.leases.leases(service).length === 0;
  }

  /** What a wildcard stands for: every known cluster; no listeners, for those of gRPC mean nothing to Envoy. */
  all(type: ResourceType): string[] {
    return type === CLUSTER ? this.#options.leases.services() : [];
  }

  #number(type: ResourceType): number {
    return this.#versions.get(type) ?? 1;
  }

  #resource(type: ResourceType, name: string): Any | undefined {
    if (!answerable(name)) return undefined;
    if (type === ENDPOINTS) return this.#endpoints.get(name) ?? noEndpoints(name);
    const key = `${type} ${name}`;
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const built = type === LISTENER ? this.#listener(name) : this.#cluster(name);
    if (built !== undefined) this.#named.set(key, built);
    return built;
  }

  #listener(name: string): Any | undefined {
    const problem = listenerProblem(routes(name), filters());
    if (problem !== undefined) return this.#refuse(LISTENER, name, problem);
    return pack('envoy.config.listener.v3.Listener', listener(name));
  }

  #cluster(name: string): Any | undefined {
    const value = cluster(name);
    const problem = clusterProblem(value);
    if (problem !== undefined) return this.#refuse(CLUSTER, name, problem);
    return pack('envoy.config.cluster.v3.Cluster', value);
  }

  #assignment(name: string): Any | undefined {
    const instances = this.#options.leases.leases(name).map(({ instance }) => instance);
    const value = assignment(name, instances);
    const problem = assignmentProblem(value);
    if (problem !== undefined) return this.#refuse(ENDPOINTS, name, problem);
    return pack('envoy.config.endpoint.v3.ClusterLoadAssignment', value);
  }

  /** What was published before stays: one bad resource would be refused, or worse, by every client. */
  #refuse(type: ResourceType, name: string, problem: string): undefined {
    this.#options.log.error(
      { event: 'resource_refused', type, name, problem },
      'a resource was not published',
    );
    return undefined;
  }
}

function noEndpoints(service: string): Any {
  return pack('envoy.config.endpoint.v3.ClusterLoadAssignment', assignment(service, []));
}

function sameBytes(one: Any, other: Any): boolean {
  return one.value.equals(other.value);
}
