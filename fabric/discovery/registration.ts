/** Keeps an instance registered: a lease, heartbeats, and a new lease whenever the old one is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { Instance } from '#gen/mercer/registry/v1/instance.ts';
import { RegisterRequest } from '#gen/mercer/registry/v1/registry_service.ts';
import type { RegisterResponse, RegistryServiceService } from '#gen/mercer/registry/v1/registry_service.ts';
import type { ServiceClient } from '../rpc/service-definition.ts';
import { StatusError, toStatusError } from '../rpc/status-error.ts';
import type { Logger } from '../telemetry/logger.ts';

/** The registry as an instance calls it. */
export type RegistryClient = Pick<
  ServiceClient<typeof RegistryServiceService>,
  'register' | 'heartbeat' | 'deregister'
>;

/** Who registers, and with whom. */
export type RegistrationOptions = {
  readonly registry: RegistryClient;
  readonly instance: Partial<Instance> & Pick<Instance, 'service' | 'instanceId' | 'address' | 'port'>;
  /** How long the registration outlives its last heartbeat, in ms; the registry may clamp it. */
  readonly ttl: number;
  readonly log: Logger;
  /** Serialized FileDescriptorSet of what the instance serves, for the gateway to open its routes. */
  readonly descriptorSet?: Uint8Array;
};

/** A registration that holds until it is ended. */
export type Registration = {
  /** Ends the lease; lasts 4 s at most and never fails, for the lease then runs out by itself. */
  deregister(): Promise<void>;
};

/** How long one call to the registry may last, in ms. */
const CALL = 2_000;
/** The first and the longest wait after a failure, in ms, before jitter. */
const BACK_OFF = { first: 100, longest: 2_000 };

/**
 * Registers an instance and renews its lease every TTL/3 +-20 % until it is deregistered. A lease that the
 * registry no longer knows (NOT_FOUND) is asked for anew at once, with the same instanceId. While the
 * registry is away it keeps trying, 100 ms to 2 s apart with jitter. Resolves after the first attempt,
 * whatever its outcome: a service serves without a registry too.
 */
export async function register(options: RegistrationOptions): Promise<Registration> {
  const keeper = new LeaseKeeper(options);
  await keeper.attempt();
  const kept = keeper.run();
  return {
    deregister: async () => {
      keeper.stop();
      await kept;
      await keeper.end();
    },
  };
}

type HeldLease = { leaseId: string; ttl: number };

class LeaseKeeper {
  readonly #options: RegistrationOptions;
  readonly #stopped = new AbortController();
  #lease: HeldLease | undefined;
  #failures = 0;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.#pause();
      if (!this.#stopped.signal.aborted) await this.attempt();
    }
  }

  /** Renews the lease, or asks for one; a failure is logged, once for each row of them. */
  async attempt(): Promise<void> {
    try {
      if (this.#lease === undefined) await this.#register();
      else await this.#renew(this.#lease);
      this.#failures = 0;
    } catch (error) {
      this.#failed(toStatusError(error));
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  async end(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease === undefined) return;
    try {
      await this.#options.registry.deregister({ leaseId: lease.leaseId }, { timeout: CALL });
      this.#log('deregistered');
    } catch (error) {
      this.#options.log.warn({ event: 'deregister_failed', err: error }, 'the lease will run out by itself');
    }
  }

  async #register(): Promise<void> {
    const { registry, instance, ttl, descriptorSet } = this.#options;
    const request = RegisterRequest.fromPartial({
      instance: Instance.fromPartial(instance),
      ttl: { seconds: BigInt(Math.floor(ttl / 1_000)), nanos: (ttl % 1_000) * 1_000_000 },
      ...(descriptorSet === undefined ? {} : { descriptorSet: Buffer.from(descriptorSet) }),
    });
    const granted = await registry.register(request, { timeout: CALL });
    this.#lease = { leaseId: granted.leaseId, ttl: milliseconds(granted) ?? ttl };
    this.#log('registered');
  }

  async #renew({ leaseId, ttl }: HeldLease): Promise<void> {
    const { registry } = this.#options;
    try {
      await registry.heartbeat({ leaseId }, { timeout: Math.min(CALL, ttl / 3) });
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== status.NOT_FOUND) throw error;
      this.#lease = undefined;
      await this.#register();
    }
  }

  async #pause(): Promise<void> {
    const wait = this.#failures > 0 ? backOff(this.#failures) : this.#interval();
    await sleep(wait, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => undefined);
  }

  #interval(): number {
    return ((this.#lease?.ttl ?? this.#options.ttl) / 3) * (0.8 + 0.4 * Math.random());
  }

  #failed(error: StatusError): void {
    this.#failures += 1;
    if (this.#failures > 1) return;
    const { service, instanceId } = this.#options.instance;
    const fields = { event: 'registry_refused', instanceId, code: status[error.code], reason: error.message };
    this.#options.log.warn(fields, `the registry does not take ${service} in; trying on`);
  }

  #log(event: 'registered' | 'deregistered'): void {
    const { service, instanceId } = this.#options.instance;
    this.#options.log.info({ event, instanceId }, `${service} is ${event}`);
  }
}

/** Jitter keeps instances from returning to a restarted registry all at once. */
function backOff(failures: number): number {
  const most = Math.min(BACK_OFF.longest, BACK_OFF.first * 2 ** (failures - 1));
  return most * (0.5 + 0.5 * Math.random());
}

function milliseconds({ ttl }: RegisterResponse): number | undefined {
  return ttl === undefined ? undefined : Number(ttl.seconds) * 1_000 + ttl.nanos / 1_000_000;
}
