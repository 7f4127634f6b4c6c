/** What a failed statement means to a caller: SQLSTATE to gRPC status. */
import { status } from '@grpc/grpc-js';
import { StatusError } from '../rpc/status-error.ts';

/** SQLSTATE of a violated CHECK constraint. */
export const CHECK_VIOLATION = '23514';
/** SQLSTATE of a lock that was waited for longer than lock_timeout. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** The SQLSTATE of a failure, or undefined when the database did not name one. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether running the same transaction again may succeed: serialization failure, deadlock, lock timeout. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(sqlState(error) ?? '');
}

/**
 * The status of a failure that a store did not expect. Neither message nor detail of PostgreSQL is passed
 * on: both may hold values. A lost connection is UNAVAILABLE and says nothing about what was committed.
 */
export function fromDatabaseError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const state = sqlState(error);
  if (state !== undefined && INVALID.has(state))
    return failure(status.INVALID_ARGUMENT, { reason: 'INVALID_FIELD', cause: error });
  if (isRetryable(error)) return failure(status.ABORTED, { reason: 'CONFLICT', cause: error });
  if (state === '57014')
    return failure(status.DEADLINE_EXCEEDED, { reason: 'DATABASE_TIMEOUT', cause: error });
  if (isUnavailable(error, state))
    return failure(status.UNAVAILABLE, { reason: 'DATABASE_UNAVAILABLE', cause: error });
  return new StatusError(status.INTERNAL, 'internal error', { cause: error });
}

const MESSAGES = {
  INVALID_FIELD: 'a value cannot be stored',
  CONFLICT: 'another transaction was in the way; try again',
  DATABASE_TIMEOUT: 'the database took too long',
  DATABASE_UNAVAILABLE: 'the database is not reachable',
};

function failure(code: status, why: { reason: keyof typeof MESSAGES; cause: unknown }): StatusError {
  return new StatusError(code, MESSAGES[why.reason], why);
}

/** Bad input that passed validation; 08P01 is what PostgreSQL says of a NUL byte. */
const INVALID = new Set(['22P02', '22003', '22021', '22P05', '54000', '54001', '08P01']);
const RETRYABLE = new Set(['40001', '40P01', LOCK_NOT_AVAILABLE]);
const UNAVAILABLE_CLASSES = /^(?:08|57P0|53|25006|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND)/u;
const UNAVAILABLE_TEXTS =
  /connection terminated|not queryable|timeout exceeded when trying to connect|query read timeout/iu;

function isUnavailable(error: unknown, state: string | undefined): boolean {
  if (state !== undefined && UNAVAILABLE_CLASSES.test(state)) return true;
  return error instanceof Error && UNAVAILABLE_TEXTS.test(error.message);
}
