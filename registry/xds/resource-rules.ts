/** Why a client somewhere would refuse a resource: the union of what grpc-js, C-core, Go and Java check. */
import { isIP } from 'node:net';
import type { Cluster, ClusterLoadAssignment, HttpFilter, RouteConfiguration } from './envoy-protos.ts';

const UINT32 = 0xffff_ffff;
const ROUTER = 'envoy.filters.http.router';

type Route = NonNullable<NonNullable<RouteConfiguration['virtual_hosts']>[number]['routes']>[number];
type Endpoints = NonNullable<ClusterLoadAssignment['endpoints']>[number];

/**
 * The first reason why a listener would be refused, or would end a client: grpc-js 1.14 dies of a
 * `non_forwarding_action` and of a regex that it cannot compile, so neither is ever published.
 */
export function listenerProblem(
  config: RouteConfiguration,
  filters: readonly HttpFilter[],
): string | undefined {
  const names = filters.map(({ name }) => name ?? '');
  const hosts = config.virtual_hosts ?? [];
  return firstOf([
    [names.at(-1) !== ROUTER, 'the router must be the last filter'],
    [names.includes('') || new Set(names).size < names.length, 'filters need names of their own'],
    [hosts.length === 0, 'a virtual host is needed'],
    [hosts.some(({ domains }) => (domains ?? []).length === 0), 'a virtual host needs a domain'],
    ...hosts.flatMap(({ routes }) => (routes ?? []).map(routeProblem)),
  ]);
}

/** The first reason why a cluster would be refused. */
export function clusterProblem(cluster: Cluster): string | undefined {
  const source = cluster.eds_cluster_config?.eds_config;
  return firstOf([
    [cluster.type !== 'EDS', 'its type must be EDS'],
    [cluster.lb_policy !== 'ROUND_ROBIN', 'its policy must be round robin'],
    [source?.ads === undefined && source?.self === undefined, 'its endpoints must come over the same stream'],
  ]);
}

/** The first reason why endpoints would be refused. */
export function assignmentProblem(assignment: ClusterLoadAssignment): string | undefined {
  const places = assignment.endpoints ?? [];
  const addresses = places.flatMap(addressesOf);
  const localities = places.map(({ locality }) => JSON.stringify(locality));
  const total = places.reduce((sum, place) => sum + weightOf(place), 0);
  const priorities = new Set(places.map(({ priority }) => priority ?? 0));
  return firstOf([
    [places.some(({ locality }) => locality === undefined || locality === null), 'a locality is missing'],
    [new Set(localities).size < localities.length, 'a locality is listed twice'],
    [places.some((place) => weightOf(place) < 1), 'a locality has no weight'],
    [total > UINT32, 'the weights of the localities exceed 2^32 - 1'],
    [[...priorities].some((priority) => priority >= priorities.size), 'a priority is left out'],
    [addresses.some(({ address }) => isIP(address) === 0), 'an address is no IP literal'],
    [addresses.some(({ port }) => port < 1 || port > 65_535), 'a port is out of range'],
    [
      new Set(addresses.map((each) => JSON.stringify(each))).size < addresses.length,
      'an address is listed twice',
    ],
  ]);
}

type Check = readonly [broken: boolean, problem: string];

function firstOf(checks: readonly Check[]): string | undefined {
  return checks.find(([broken]) => broken)?.[1];
}

function routeProblem({ match, route }: Route): Check {
  if (route === undefined || route === null) return [true, 'a route must forward'];
  if (match?.safe_regex !== undefined) return [true, 'a route must not match by regex'];
  const weights = (route.weighted_clusters?.clusters ?? []).map(({ weight }) => weight?.value ?? 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return [
    weights.length > 0 && (total < 1 || total > UINT32),
    'the weights of a route must be 1 to 2^32 - 1 together',
  ];
}

function addressesOf({ lb_endpoints: endpoints }: Endpoints): { address: string; port: number }[] {
  return (endpoints ?? []).map(({ endpoint }) => {
    const socket = endpoint?.address?.socket_address;
    return { address: socket?.address ?? '', port: socket?.port_value ?? 0 };
  });
}

function weightOf({ load_balancing_weight: weight }: Endpoints): number {
  return weight?.value ?? 0;
}
