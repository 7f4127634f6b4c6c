/** What a service looks like in xDS: a listener with its routes, a cluster, and its endpoints. */
import type { Instance } from '../domain.ts';
import { pack } from './envoy-protos.ts';
import type {
  Any,
  Cluster,
  ClusterLoadAssignment,
  HttpFilter,
  Listener,
  RouteConfiguration,
} from './envoy-protos.ts';

type Endpoints = NonNullable<ClusterLoadAssignment['endpoints']>[number];
type Endpoint = NonNullable<Endpoints['lb_endpoints']>[number];

/** Printable, short, and no xdstp: URI, which a client would read as another authority's (gRFC A47). */
const ANSWERABLE = /^(?!\*$|xdstp:)[\x21-\x7e]{1,253}$/u;
const UINT32 = 0xffff_ffff;

/**
 * Whether a name has resources. More names do than may register: a misspelt one then fails UNAVAILABLE at
 * once, where a missing listener leaves the calls of grpc-js waiting for their deadline.
 */
export function answerable(name: string): boolean {
  return ANSWERABLE.test(name);
}

/**
 * The routes of `xds:///NAME`: one virtual host for every authority, one route for every method. A client's
 * deadline is its own (grpc_timeout_header_max 0 = no limit); an idle timeout must never be set, because
 * grpc-js takes it for the default deadline of calls.
 */
export function routes(service: string): RouteConfiguration {
  const route = {
    cluster: service,
    max_stream_duration: { grpc_timeout_header_max: { seconds: 0 } },
  };
  const host = { name: service, domains: ['*'], routes: [{ match: { prefix: '' }, route }] };
  return { name: service, virtual_hosts: [host] };
}

/** The router, last in every chain of filters (gRFC A39). */
export function filters(): HttpFilter[] {
  const router = pack('envoy.extensions.filters.http.router.v3.Router', {});
  return [{ name: 'envoy.filters.http.router', typed_config: router }];
}

/** The listener that a client asks for first; routes inside it save a round trip and cannot tear (gRFC A71). */
export function listener(service: string): Listener {
  const manager = pack('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    route_config: routes(service),
    http_filters: filters(),
  });
  return { name: service, api_listener: { api_listener: manager } };
}

/**
 * The cluster of a service: endpoints by EDS over the same stream, round robin, at most 1024 calls at once
 * from one client. No outlier detection (gRFC A50): gRPC counts every status but OK as a failure, so a client
 * that asks for what is not there would have healthy instances set aside. The HTTP/2 option is for Envoy;
 * gRPC passes over it.
 */
export function cluster(service: string): Cluster {
  return {
    name: service,
    type: 'EDS',
    lb_policy: 'ROUND_ROBIN',
    connect_timeout: { seconds: 5 },
    eds_cluster_config: {
      eds_config: { ads: {}, resource_api_version: 'V3' },
      service_name: service,
    },
    circuit_breakers: { thresholds: [{ max_requests: { value: 1024 } }] },
    typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': http2() },
  };
}

/**
 * The endpoints of a service, in the order of registration. Nobody registered is an assignment without
 * endpoints, never a missing one: calls then fail at once instead of waiting for their deadline. DRAINING
 * instances stay listed as such, OUT_OF_SERVICE ones are left out. Of two instances at one address the later
 * one counts, for nobody can listen where another does.
 */
export function assignment(service: string, instances: readonly Instance[]): ClusterLoadAssignment {
  const byAddress = new Map(instances.map((instance) => [`${instance.address} ${instance.port}`, instance]));
  const listed = [...byAddress.values()].filter(({ status }) => status !== 'OUT_OF_SERVICE');
  const places = Map.groupBy(listed, ({ zone, weight }) => `${zone} ${weight}`);
  const weights = scaled([...places.values()].map(localityWeight));
  const endpoints = [...places.values()].map((place, index) => locality(place, weights[index] ?? 1));
  return { cluster_name: service, endpoints };
}

/**
 * Instances of one zone and one weight. Round robin passes over the weights of endpoints, but every client
 * obeys those of localities, so a weight other than 1 makes a locality of its own (sub_zone).
 */
function locality(instances: readonly Instance[], weight: number): Endpoints {
  const [first] = instances;
  const subZone = first === undefined || first.weight === 1 ? '' : `weight-${first.weight}`;
  return {
    locality: { zone: first?.zone ?? '', sub_zone: subZone },
    priority: 0,
    load_balancing_weight: { value: weight },
    lb_endpoints: instances.map(endpoint),
  };
}

function endpoint({ address, port, status }: Instance): Endpoint {
  return {
    health_status: status === 'DRAINING' ? 'DRAINING' : 'HEALTHY',
    endpoint: { address: { socket_address: { address, port_value: port } } },
  };
}

/** A locality without a weight is passed over, so one that only drains keeps the least. */
function localityWeight(instances: readonly Instance[]): number {
  const up = instances.filter(({ status }) => status === 'UP');
  return up.reduce((sum, { weight }) => sum + weight, 0);
}

/** Weights of one priority must not exceed 2^32 - 1 together (gRFC A27). */
function scaled(weights: number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const divisor = Math.ceil((total + weights.length) / UINT32);
  return weights.map((weight) => Math.max(1, Math.floor(weight / Math.max(divisor, 1))));
}

function http2(): Any {
  return pack('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
    explicit_http_config: { http2_protocol_options: {} },
  });
}
