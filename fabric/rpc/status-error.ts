/** The one error class: a gRPC status with a stable reason and typed details. */
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { readDetails } from './status-details.ts';
import type { Detail } from './status-details.ts';

/** What a StatusError may carry besides code and message. */
export type StatusErrorOptions = {
  /** UPPER_SNAKE, listed in docs/errors.md; becomes google.rpc.ErrorInfo.reason in the domain "mercer" (AIP-193). */
  reason?: string;
  /** Becomes ErrorInfo.metadata; every variable part of the message belongs here too. */
  metadata?: Record<string, string>;
  /** Further google.rpc details, such as BadRequest. */
  details?: Detail[];
  /** The original failure; logged, never sent. */
  cause?: unknown;
};

/** An outcome other than OK. Errors leave a process as this class only. */
export class StatusError extends Error {
  readonly code: status;
  readonly reason: string | undefined;
  readonly metadata: Record<string, string>;
  readonly details: Detail[];

  constructor(code: status, message: string, options: StatusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StatusError';
    this.code = code;
    this.reason = options.reason;
    this.metadata = options.metadata ?? {};
    this.details = options.details ?? [];
  }
}

/**
 * Makes any failure a StatusError: one stays as it is, a failed call keeps its status, reason and details,
 * anything else becomes INTERNAL with the original as its cause.
 */
export function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (isServiceError(error)) return fromServiceError(error);
  return new StatusError(status.INTERNAL, 'internal error', { cause: error });
}

/** INVALID_ARGUMENT that names the field, as a proto field path such as `lines[0].quantity`. */
export function badRequest(field: string, description: string): StatusError {
  const violation = { field, description, reason: 'INVALID_FIELD', localizedMessage: undefined };
  return new StatusError(status.INVALID_ARGUMENT, `${field}: ${description}`, {
    reason: 'INVALID_FIELD',
    metadata: { field },
    details: [{ type: 'google.rpc.BadRequest', value: { fieldViolations: [violation] } }],
  });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

function fromServiceError(error: ServiceError): StatusError {
  const { info, details } = readDetails(error.metadata);
  return new StatusError(error.code, error.details, {
    ...(info === undefined ? {} : { reason: info.reason, metadata: info.metadata }),
    details,
    cause: error,
  });
}
