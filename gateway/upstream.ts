/** Calls services: bytes in, bytes out, with deadline and cancellation. */
import { status } from '@grpc/grpc-js';
import type { ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import type { Channel } from '#fabric/rpc/channel.ts';
import { StatusError, toStatusError } from '#fabric/rpc/status-error.ts';
import type { Plan } from './plan.ts';
import { clientGone } from './refusals.ts';
import { retryBudget } from './retry-budget.ts';
import type { RetryBudget } from './retry-budget.ts';
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

/**
 * `channel` gives the shared channel to a service by its noun, "order". Unary calls that may be repeated are
 * retried once, here only: the gateway is the outermost caller, and retries at every hop would multiply.
 */
export function createUpstream(channel: Channels): Upstream {
  /** One for each service, so that a service that is down leaves the others their retries. */
  const budgets = new Map<string, RetryBudget>();
  const budgetOf = ({ service }: Plan): RetryBudget => {
    const budget = budgets.get(service) ?? retryBudget();
    budgets.set(service, budget);
    return budget;
  };
  return {
    unary: async (call) => retried(dial(channel, call.plan), call, budgetOf(call.plan)),
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

/** The second attempt has what is left of the time, and goes where round robin goes next. */
async function retried(channel: Channel, call: UpstreamCall, budget: RetryBudget): Promise<Uint8Array> {
  const options = optionsOf(call);
  budget.earn();
  try {
    return await unary(channel, call, options);
  } catch (error) {
    if (!mayRepeat(call.plan, error) || isOver(options) || !budget.spend()) throw error;
    return unary(channel, call, options).catch((second: unknown) => {
      // That nobody was there any more does not undo what the first attempt did.
      throw isUnsent(second) ? error : second;
    });
  }
}

/** Another reason says that the service answered on purpose: what it refuses once it would refuse again. */
function mayRepeat({ repeatable }: Plan, error: unknown): boolean {
  const { code, reason } = toStatusError(error);
  return repeatable && code === status.UNAVAILABLE && (reason === undefined || isUnsent(error));
}

/** Whether `notSent` made it: a service's own refusal comes as a ServiceError. */
function isUnsent(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'UPSTREAM_UNAVAILABLE';
}

function isOver({ deadline = Infinity }: CallOptions): boolean {
  return Date.now() >= deadline;
}

function unary(channel: Channel, call: UpstreamCall, options: CallOptions): Promise<Uint8Array> {
  const { plan, message, metadata, signal } = call;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(clientGone());
      return;
    }
    const settle = (error: ServiceError | null, bytes?: Uint8Array): void => {
      signal.removeEventListener('abort', cancel);
      if (error === null) resolve(bytes ?? new Uint8Array());
      else reject(wasSent(request, channel) ? error : notSent(error));
    };
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

/** Until a call has a connection, grpc-js names its target where it would name the peer. */
function wasSent(request: ClientUnaryCall, channel: Channel): boolean {
  return request.getPeer() !== channel.getChannel().getTarget();
}

/** Only UNAVAILABLE: a deadline may pass, and a client may go, unsent too. */
function notSent(error: ServiceError): Error {
  if (error.code !== status.UNAVAILABLE || toStatusError(error).reason !== undefined) return error;
  const message = 'no process of the service can be reached; nothing was done';
  return new StatusError(status.UNAVAILABLE, message, { reason: 'UPSTREAM_UNAVAILABLE', cause: error });
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

/** `deadline` is in ms since the epoch. */
type CallOptions = { deadline?: number };

function optionsOf({ timeout }: UpstreamCall): CallOptions {
  return timeout === undefined ? {} : { deadline: Date.now() + timeout };
}
