/** What a failure tells a client: status, reason and details, without what is nobody's business. */
import { status } from '@grpc/grpc-js';
import type { Metadata } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '#gen/google/rpc/error_details.ts';
import { Status } from '#gen/google/rpc/status.ts';
import { toStatus, unpackDetails } from '#fabric/rpc/status-details.ts';
import { StatusError, toStatusError } from '#fabric/rpc/status-error.ts';

/** A failure as it may leave the gateway. */
export type Failure = {
  code: status;
  message: string;
  reason: string | undefined;
  /** ErrorInfo.metadata. */
  metadata: Readonly<Record<string, string>>;
  /** Packed google.rpc details, ErrorInfo among them. */
  details: Status['details'];
  /** Seconds after which trying again may help. */
  retryAfter: number | undefined;
};

/**
 * Sentences for outcomes whose own message would tell addresses or defects, with the reason that an upstream
 * which gave none receives.
 */
const GENERIC: Partial<Record<status, { reason: string; message: string }>> = {
  [status.CANCELLED]: { reason: 'CANCELLED', message: 'the call was cancelled' },
  [status.UNKNOWN]: { reason: 'INTERNAL', message: 'something went wrong on our side' },
  [status.INTERNAL]: { reason: 'INTERNAL', message: 'something went wrong on our side' },
  [status.DATA_LOSS]: { reason: 'INTERNAL', message: 'something went wrong on our side' },
  [status.DEADLINE_EXCEEDED]: {
    reason: 'DEADLINE_EXCEEDED',
    message: 'the service did not answer in time; whether it did its work is not known',
  },
  [status.RESOURCE_EXHAUSTED]: { reason: 'UPSTREAM_EXHAUSTED', message: 'the service takes no more for now' },
  [status.UNAVAILABLE]: {
    reason: 'UPSTREAM_UNAVAILABLE',
    message: 'the service cannot be reached; whether it did its work is not known',
  },
};
/** Never told, even with a reason. */
const SILENT = new Set([status.UNKNOWN, status.INTERNAL, status.DATA_LOSS]);
const DEBUG = 'google.rpc.DebugInfo';
const BAD_REQUEST = 'google.rpc.BadRequest';
const ERROR_INFO = 'google.rpc.ErrorInfo';
/** Sent with 429 and 503 where the service names no time; s. */
const DEFAULT_RETRY = 1;

/** Makes any thrown value a failure. A failed call keeps the details that its service packed. */
export function failureOf(error: unknown): Failure {
  const known = toStatusError(error);
  const packed = packedStatus(error) ?? toStatus(known);
  const { info, details } = unpackDetails(packed);
  const retry = details.find((detail) => detail.type === 'google.rpc.RetryInfo')?.value.retryDelay;
  const generic = GENERIC[known.code];
  if (generic !== undefined && (info === undefined || SILENT.has(known.code)))
    return plain(known.code, generic);
  return {
    code: known.code,
    message: withJsonField(known.message, info?.metadata),
    reason: info?.reason,
    metadata: jsonMetadata(info?.metadata),
    details: packed.details.filter(({ typeUrl }) => !typeUrl.endsWith(DEBUG)).map(withJsonFields),
    retryAfter:
      retry === undefined ? retryDefault(known.code) : Number(retry.seconds) + (retry.nanos > 0 ? 1 : 0),
  };
}

function plain(code: status, { reason, message }: { reason: string; message: string }): Failure {
  const { details } = toStatus(new StatusError(code, message, { reason }));
  return { code, message, reason, metadata: {}, details, retryAfter: retryDefault(code) };
}

function retryDefault(code: status): number | undefined {
  return code === status.UNAVAILABLE || code === status.RESOURCE_EXHAUSTED ? DEFAULT_RETRY : undefined;
}

/** What a failed call carries in grpc-status-details-bin; undefined when it is not there or not readable. */
function packedStatus(error: unknown): Status | undefined {
  if (error instanceof StatusError || !(error instanceof Error) || !('metadata' in error)) return undefined;
  const [bytes] = (error.metadata as Metadata).get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return undefined;
  try {
    return Status.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Clients over HTTP know fields by their JSON names (google/rpc/error_details.proto, BadRequest.field). */
function withJsonFields(detail: Status['details'][number]): Status['details'][number] {
  if (detail.typeUrl.endsWith(ERROR_INFO)) {
    const info = ErrorInfo.decode(detail.value);
    const renamed = { ...info, metadata: jsonMetadata(info.metadata) };
    return { ...detail, value: Buffer.from(ErrorInfo.encode(renamed).finish()) };
  }
  if (!detail.typeUrl.endsWith(BAD_REQUEST)) return detail;
  const { fieldViolations } = BadRequest.decode(detail.value);
  const renamed = fieldViolations.map((each) => ({ ...each, field: camelCase(each.field) }));
  return { ...detail, value: Buffer.from(BadRequest.encode({ fieldViolations: renamed }).finish()) };
}

/** ErrorInfo.metadata, whose `field` is a path of names. */
function jsonMetadata(metadata: Failure['metadata'] = {}): Record<string, string> {
  const { field } = metadata;
  return field === undefined ? { ...metadata } : { ...metadata, field: camelCase(field) };
}

/** A message about a field begins with its path. */
function withJsonField(message: string, { field = '' }: Failure['metadata'] = {}): string {
  return field !== '' && message.startsWith(field) ? camelCase(field) + message.slice(field.length) : message;
}

function camelCase(path: string): string {
  return path.replaceAll(/_(?<letter>[a-z0-9])/gu, (_, letter: string) => letter.toUpperCase());
}
