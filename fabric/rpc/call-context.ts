/** What a handler, and every call made from it, knows of the call being served. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { status } from '@grpc/grpc-js';
import type { Principal } from '../identity/principal.ts';
import { StatusError } from './status-error.ts';

/** The call being served. Deadline, token, request id and trace follow every call made from it. */
export type CallContext = {
  /** HTTP/2 path, "/mercer.order.v1.OrderService/CreateOrder". */
  method: string;
  /** The workload that called, "svc/gateway" or "dev/alice". */
  caller: string | undefined;
  /** The user whose token came along, already verified. */
  user: Principal | undefined;
  /** The token itself, without "Bearer ". */
  token: string | undefined;
  /** The signature header of a request that proves itself by one; only where the method's access says so. */
  signature?: string | undefined;
  requestId: string;
  deadline: Date;
  /** Aborts when the caller cancels, goes away or its deadline passes. */
  signal: AbortSignal;
  /** Told of a failure before it crosses the wire, so that its cause can be logged. */
  onFailure?: (failure: StatusError) => void;
};

const storage = new AsyncLocalStorage<CallContext | undefined>();

/** The call being served; undefined outside of one. */
export function currentCall(): CallContext | undefined {
  return storage.getStore();
}

/** Runs work as part of a call. */
export function runInCall<T>(call: CallContext | undefined, work: () => T): T {
  return storage.run(call, work);
}

/** The user of a call, else UNAUTHENTICATED. */
export function requireUser(call: CallContext): Principal {
  if (call.user !== undefined) return call.user;
  throw new StatusError(status.UNAUTHENTICATED, 'this method needs a user token', {
    reason: 'TOKEN_MISSING',
  });
}

/** Whether the user is an ADMIN or the subject itself (the `owner` condition of the access option). */
export function ownedBy(call: CallContext, subject: string): boolean {
  return call.user !== undefined && (call.user.roles.includes('ADMIN') || call.user.subject === subject);
}

/**
 * Runs work that must not end with its caller: it keeps token, request id and trace, has a deadline of its
 * own (`timeout`, in ms) and is not cancelled. A purchase leaves its caller's context this way.
 */
export function detached<T>(options: { timeout: number }, work: () => Promise<T>): Promise<T> {
  const call = storage.getStore();
  if (call === undefined) return work();
  const deadline = new Date(Date.now() + options.timeout);
  return storage.run({ ...call, deadline, signal: AbortSignal.timeout(options.timeout) }, work);
}
