/** Envoy's v3 messages, from the .proto files that grpc-js-xds ships with its own client. */
import { createRequire } from 'node:module';
import path from 'node:path';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MessageTypeDefinition, PackageDefinition } from '@grpc/proto-loader';
import type { Cluster } from '@grpc/grpc-js-xds/build/src/generated/envoy/config/cluster/v3/Cluster.js';
import type { ClusterLoadAssignment } from '@grpc/grpc-js-xds/build/src/generated/envoy/config/endpoint/v3/ClusterLoadAssignment.js';
import type { Listener } from '@grpc/grpc-js-xds/build/src/generated/envoy/config/listener/v3/Listener.js';
import type { RouteConfiguration } from '@grpc/grpc-js-xds/build/src/generated/envoy/config/route/v3/RouteConfiguration.js';
import type { HttpConnectionManager } from '@grpc/grpc-js-xds/build/src/generated/envoy/extensions/filters/network/http_connection_manager/v3/HttpConnectionManager.js';
import type { HttpFilter } from '@grpc/grpc-js-xds/build/src/generated/envoy/extensions/filters/network/http_connection_manager/v3/HttpFilter.js';
import type { DiscoveryRequest__Output } from '@grpc/grpc-js-xds/build/src/generated/envoy/service/discovery/v3/DiscoveryRequest.js';
import type { DiscoveryResponse } from '@grpc/grpc-js-xds/build/src/generated/envoy/service/discovery/v3/DiscoveryResponse.js';

export type { Cluster, ClusterLoadAssignment, HttpFilter, Listener, RouteConfiguration };
/** What a client asks for, with every field present. */
export type DiscoveryRequest = DiscoveryRequest__Output;

/** A google.protobuf.Any, serialized inside. */
export type Any = { readonly type_url: string; readonly value: Buffer };

/** The messages that are written here, by full name. */
type Messages = {
  'envoy.config.listener.v3.Listener': Listener;
  'envoy.config.cluster.v3.Cluster': Cluster;
  'envoy.config.endpoint.v3.ClusterLoadAssignment': ClusterLoadAssignment;
  'envoy.config.route.v3.RouteConfiguration': RouteConfiguration;
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager': HttpConnectionManager;
  'envoy.extensions.filters.http.router.v3.Router': Record<string, never>;
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    explicit_http_config: { http2_protocol_options: Record<string, never> };
  };
  'envoy.service.discovery.v3.DiscoveryResponse': DiscoveryResponse;
};

/** Prefix of every type URL. */
const PREFIX = 'type.googleapis.com/';

/** The resource types that are served. */
export const LISTENER = `${PREFIX}envoy.config.listener.v3.Listener`;
export const CLUSTER = `${PREFIX}envoy.config.cluster.v3.Cluster`;
export const ENDPOINTS = `${PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment`;

const FILES = [
  'envoy/service/discovery/v3/ads.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
];

const definitions = load();

/** Serializes a message; fields left out are absent on the wire. */
export function encode<T extends keyof Messages>(type: T, message: Messages[T]): Buffer {
  return messageType(type).serialize(message);
}

/** Reads a message back, every field present; for those who look at what is served. */
export function decode<T extends keyof Messages>(type: T, bytes: Buffer): Messages[T] {
  return messageType(type).deserialize(bytes) as Messages[T];
}

/** Wraps a message in google.protobuf.Any. */
export function pack<T extends keyof Messages>(type: T, message: Messages[T]): Any {
  return { type_url: PREFIX + type, value: encode(type, message) };
}

/** The ADS service. Responses of the stream are written as bytes, so that streams can share them. */
export function adsDefinition(): Record<
  'StreamAggregatedResources' | 'DeltaAggregatedResources',
  MethodDefinition<Buffer, DiscoveryRequest>
> {
  const service = definitions['envoy.service.discovery.v3.AggregatedDiscoveryService'];
  const methods = service as unknown as ReturnType<typeof adsDefinition>;
  const shared = { responseSerialize: (bytes: DiscoveryRequest | Buffer): Buffer => bytes as Buffer };
  return {
    StreamAggregatedResources: { ...methods.StreamAggregatedResources, ...shared },
    DeltaAggregatedResources: methods.DeltaAggregatedResources,
  };
}

function messageType(name: string): MessageTypeDefinition<object, object> {
  const definition = definitions[name];
  if (definition === undefined || !('type' in definition)) throw new Error(`${name} is no message`);
  return definition as MessageTypeDefinition<object, object>;
}

function load(): PackageDefinition {
  const main = createRequire(import.meta.url).resolve('@grpc/grpc-js-xds');
  const root = path.join(path.dirname(main), '..', '..', 'deps');
  const includeDirs = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((name) =>
    path.join(root, name),
  );
  return loadSync(FILES, {
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
    includeDirs,
  });
}
