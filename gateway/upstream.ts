/** Calls services: bytes in, bytes out, with deadline, cancellation and metrics. */
import { status } from '@grpc/grpc-js';
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import type { Channel } from '#fabric/rpc/channel.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { RpcMetrics } from '#fabric/telemetry/metrics.ts';
import type { Plan } from './plan.ts';
import { clientGone } from './refusals.ts';
import { upstreamStream } from './upstream-stream.ts';
import type { UpstreamStream } from './upstream-stream.ts';

/** One call. */
export type UpstreamCall = {
  plan: Plan;
  /** The request in wire format. */
  message: Uint8Array;
  metadata: Metadata;
  /** In ms from now; undefined for as long as the stream lasts. */
  timeout: number | undefined;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
};

/** The services behind the gateway. Failed calls reject with grpc-js' ServiceError. */
export type Upstream = {
  unary: (call: UpstreamCall) => Promise<Uint8Array>;
  stream: (call: UpstreamCall) => UpstreamStream;
};

/** `channel` gives the shared channel to a service by its noun, "order". */
export function createUpstream(channel: (service: string) => Channel, metrics: RpcMetrics): Upstream {
  return {
    unary: (call) => unary(channel(nounOf(call.plan)), call, metrics),
    stream: (call) => serverStream(channel(nounOf(call.plan)), call, metrics),
  };
}

/** The service of "mercer.order.v1.OrderService" is known as "order" to discovery. */
export function nounOf({ service }: Plan): string {
  const noun = /^mercer\.(?<noun>[a-z0-9_]+)\.v\d+\./u.exec(service)?.groups?.['noun'];
  if (noun !== undefined) return noun;
  throw new StatusError(status.UNIMPLEMENTED, `no process serves ${service}`, { reason: 'SERVICE_UNKNOWN' });
}

/** The bytes were made by this gateway and are not looked at again. */
const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const asBytes = (bytes: Buffer): Uint8Array => bytes;

function unary(channel: Channel, call: UpstreamCall, metrics: RpcMetrics): Promise<Uint8Array> {
  const { plan, message, metadata, signal } = call;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(clientGone());
      return;
    }
    const started = performance.now();
    const settle = (error: ServiceError | null, bytes?: Uint8Array): void => {
      signal.removeEventListener('abort', cancel);
      metrics.called(plan.path, error?.code ?? status.OK, (performance.now() - started) / 1_000);
      if (error === null) resolve(bytes ?? new Uint8Array());
      else reject(error);
    };
    const options = optionsOf(call);
    const request = channel.makeUnaryRequest(
      plan.path,
      toBuffer,
      asBytes,
      message,
      metadata,
      options,
      settle,
    );
    const cancel = (): void => request.cancel();
    signal.addEventListener('abort', cancel, { once: true });
  });
}

function serverStream(channel: Channel, call: UpstreamCall, metrics: RpcMetrics): UpstreamStream {
  const { plan, message, metadata, signal } = call;
  const started = performance.now();
  const options = optionsOf(call);
  const stream = channel.makeServerStreamRequest(plan.path, toBuffer, asBytes, message, metadata, options);
  const cancel = (): void => stream.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  stream.once('status', ({ code }: { code: status }) => {
    signal.removeEventListener('abort', cancel);
    metrics.called(plan.path, code, (performance.now() - started) / 1_000);
  });
  return upstreamStream(stream);
}

function optionsOf({ timeout }: UpstreamCall): { deadline?: number } {
  return timeout === undefined ? {} : { deadline: Date.now() + timeout };
}
