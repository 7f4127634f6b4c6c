/** Instances and leases between the contract's messages and the domain. */
import { Instance as InstanceMessage, InstanceStatus } from '#gen/mercer/registry/v1/instance.ts';
import { Lease as LeaseMessage, Lease_Mode } from '#gen/mercer/registry/v1/registry_service.ts';
import type { Duration } from '#gen/google/protobuf/duration.ts';
import type { Instance, Status } from './domain.ts';
import type { Lease } from './leases.ts';

const STATUSES: Readonly<Record<Status, InstanceStatus>> = {
  UP: InstanceStatus.INSTANCE_STATUS_UP,
  DRAINING: InstanceStatus.INSTANCE_STATUS_DRAINING,
  OUT_OF_SERVICE: InstanceStatus.INSTANCE_STATUS_OUT_OF_SERVICE,
};

/** What a message asks for; unspecified stands for UP. */
export function toStatus(message: InstanceStatus): Status {
  if (message === InstanceStatus.INSTANCE_STATUS_DRAINING) return 'DRAINING';
  return message === InstanceStatus.INSTANCE_STATUS_OUT_OF_SERVICE ? 'OUT_OF_SERVICE' : 'UP';
}

/** The instance that a message describes; weight 0 stands for 1. */
export function toInstance(message: InstanceMessage): Instance {
  const { service, instanceId, address, port, zone, weight, metadata, status } = message;
  const place = { service, instanceId, address, port, zone };
  return { ...place, weight: Math.max(weight, 1), metadata: { ...metadata }, status: toStatus(status) };
}

/** The message that describes an instance. */
export function fromInstance({ status, ...instance }: Instance): InstanceMessage {
  return InstanceMessage.fromPartial({ ...instance, status: STATUSES[status] });
}

/** A lease as an operator sees it; `now` is monotonic, in ms. */
export function fromLease({ instance, term, restored }: Lease, now: number): LeaseMessage {
  return LeaseMessage.fromPartial({
    instance: fromInstance(instance),
    leaseAge: toDuration(Math.max(now - term.renewedAt, 0)),
    mode: restored ? Lease_Mode.MODE_WARMING : Lease_Mode.MODE_NORMAL,
  });
}

/** Milliseconds as a message. */
export function toDuration(milliseconds: number): Duration {
  const seconds = Math.floor(milliseconds / 1_000);
  return { seconds: BigInt(seconds), nanos: Math.floor((milliseconds - seconds * 1_000) * 1_000_000) };
}

/** A message in milliseconds; undefined for none. */
export function fromDuration(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : Number(duration.seconds) * 1_000 + duration.nanos / 1_000_000;
}
