/** Why a token was not accepted, as the status that its bearer receives. */
import { status } from '@grpc/grpc-js';
import { StatusError } from '../rpc/status-error.ts';

/** UNAUTHENTICATED, reason TOKEN_INVALID; `why` completes "the token is not accepted: ". */
export function tokenInvalid(why: string, cause?: unknown): StatusError {
  const message = `the token is not accepted: ${why}`;
  return new StatusError(status.UNAUTHENTICATED, message, { reason: 'TOKEN_INVALID', cause });
}

/** UNAUTHENTICATED, reason TOKEN_EXPIRED: a new token will do. */
export function tokenExpired(cause?: unknown): StatusError {
  return new StatusError(status.UNAUTHENTICATED, 'the token has expired', { reason: 'TOKEN_EXPIRED', cause });
}
