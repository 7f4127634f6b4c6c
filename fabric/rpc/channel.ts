/** A connection to a service: a load-balanced xDS target, or one address. */
import { Client, credentials as grpcCredentials } from '@grpc/grpc-js';
import type { ChannelOptions } from '@grpc/grpc-js';
import type { WorkloadCredentials } from '../identity/workload.ts';
import type { RpcMetrics } from '../telemetry/metrics.ts';
import { callObserver } from './call-observer.ts';

/** What to dial, as whom. */
export type ChannelTarget = {
  /** "xds:///product", or "127.0.0.1:50050" with an authority. */
  target: string;
  /** The name that the peer's certificate must carry; for xDS targets it is the target's own. */
  authority?: string;
  credentials: WorkloadCredentials;
  /** Where calls are counted; a channel without counts none. */
  metrics?: RpcMetrics;
};

/** A channel is grpc-js's own client, on which every method can be called by path. */
export type Channel = Client;

/** Back-off and keepalive of findings: a peer that returns is used again within a second. */
const OPTIONS: ChannelOptions = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.enable_retries': 0,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
};

/**
 * Opens a channel over mutual TLS; connecting happens at the first call. grpc-js refuses an IP address as
 * TLS server name, so an address needs the authority that the certificate carries.
 */
export function openChannel({ target, authority, credentials, metrics }: ChannelTarget): Channel {
  const secure = grpcCredentials.createSsl(credentials.ca, credentials.key, credentials.cert);
  const names =
    authority === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': authority, 'grpc.default_authority': authority };
  const interceptors = metrics === undefined ? [] : [callObserver(metrics)];
  return new Client(target, secure, { ...OPTIONS, ...names, interceptors });
}
