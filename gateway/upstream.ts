/** Calls services: bytes in, bytes out, with deadline and cancellation. */
import { status } from '@grpc/grpc-js';
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import type { Channel } from '#fabric/rpc/channel.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
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

/** Gives the shared channel to a service. */
export type Channels = (service: string) => Channel;

/** `channel` gives the shared channel to a service by its noun, "order". */
export function createUpstream(channel: Channels): Upstream {
  return {
    unary: async (call) => unary(dial(channel, call.plan), call),
    stream: (call) => serverStream(dial(channel, call.plan), call),
  };
}

/** Begins to connect to the services of some plans, so that the first request does not have to wait for it. */
export function connectAhead(channel: Channels, plans: readonly Plan[]): void {
  const services = new Map(plans.map((plan) => [nounOf(plan), plan]));
  for (const plan of services.values()) {
    try {
      dial(channel, plan).getChannel().getConnectivityState(true);
    } catch (error) {
      // A fabric may run without a service; its methods answer 503.
      if (!(error instanceof StatusError)) throw error;
    }
  }
}

/** A service that has no address, such as the config server of a fabric without one, is not available. */
function dial(channel: Channels, plan: Plan): Channel {
  try {
    return channel(nounOf(plan));
  } catch (cause) {
    const message = 'the service is not part of this fabric';
    throw new StatusError(status.UNAVAILABLE, message, { reason: 'UPSTREAM_UNAVAILABLE', cause });
  }
}

/** The service of "mercer.order.v1.OrderService" is known as "order" to discovery. */
function nounOf({ service }: Plan): string {
  const noun = /^mercer\.(?<noun>[a-z0-9_]+)\.v\d+\./u.exec(service)?.groups?.['noun'];
  if (noun === undefined) throw new Error(`no process is known to serve ${service}`);
  return noun;
}

/** The bytes were made by this gateway and are not looked at again. */
const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const asBytes = (bytes: Buffer): Uint8Array => bytes;

function unary(channel: Channel, call: UpstreamCall): Promise<Uint8Array> {
  const { plan, message, metadata, signal } = call;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(clientGone());
      return;
    }
    const settle = (error: ServiceError | null, bytes?: Uint8Array): void => {
      signal.removeEventListener('abort', cancel);
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

function serverStream(channel: Channel, call: UpstreamCall): UpstreamStream {
  const { plan, message, metadata, signal } = call;
  const options = optionsOf(call);
  const stream = channel.makeServerStreamRequest(plan.path, toBuffer, asBytes, message, metadata, options);
  const cancel = (): void => stream.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  stream.once('status', () => signal.removeEventListener('abort', cancel));
  return upstreamStream(stream);
}

function optionsOf({ timeout }: UpstreamCall): { deadline?: number } {
  return timeout === undefined ? {} : { deadline: Date.now() + timeout };
}
