/** Idempotency keys: a request that is sent again gets its first answer, from any replica and after restarts. */
import { createHash, randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { EntityManager } from '@mikro-orm/postgresql';
import { requireUser } from '../rpc/call-context.ts';
import type { CallContext } from '../rpc/call-context.ts';
import { StatusError, toStatusError } from '../rpc/status-error.ts';
import type { Database } from './database.ts';
import { fromDatabaseError, LOCK_NOT_AVAILABLE, sqlState } from './database-error.ts';

/**
 * The table, for a migration of the service that keeps keys; its app role needs to select, insert, update
 * and delete. A key without an answer is held by a request that runs, or whose outcome is still open.
 */
export const IDEMPOTENCY_TABLE = [
  `create table idempotency_key (
    caller text not null,
    method text not null,
    key text not null check (length(key) between 1 and 255),
    fingerprint bytea not null check (length(fingerprint) = 32),
    resource_id text not null default '',
    answer bytea,
    create_time timestamptz(3) not null default now(),
    primary key (caller, method, key)
  )`,
  `create index idempotency_key_resource on idempotency_key (resource_id) where resource_id <> ''`,
];

/** Finds old keys, for a migration of a service that purges them (key-purge.ts). */
export const IDEMPOTENCY_KEY_AGE = 'create index idempotency_key_age on idempotency_key (create_time)';

/** A request and the key it came under. */
export type KeyedRequest = {
  /** Issuer and subject of the user's token: one customer's key is not another's. */
  caller: string;
  /** HTTP/2 path of the method. */
  method: string;
  key: string;
  /** SHA-256 of the request without its key. */
  fingerprint: Buffer;
};

/**
 * Identifies the user's request by its `request_id`; an empty one stands for a key that nobody knows.
 * `canonical` is the request's encoding with an empty request_id.
 */
export function keyedRequest(call: CallContext, requestId: string, canonical: Uint8Array): KeyedRequest {
  const { issuer, subject } = requireUser(call);
  return {
    caller: `${issuer} ${subject}`,
    method: call.method,
    key: requestId === '' ? randomUUID() : requestId,
    fingerprint: createHash('sha256').update(canonical).digest(),
  };
}

/** Whether a request is the first of its key; else what the first brought forth, and its answer once there is one. */
export type Claim = { kind: 'first' } | { kind: 'repeated'; resourceId: string; answer: Buffer | undefined };

/**
 * Takes a key for a request, in the transaction of the request's first effect. Waits while another
 * transaction is taking the same key. FAILED_PRECONDITION with reason IDEMPOTENCY_KEY_REUSED when the key
 * was taken for another body. `resourceId` names what the request brings forth, so that a repetition finds it.
 */
export async function claimKey(
  tx: EntityManager,
  request: KeyedRequest,
  resourceId: string = '',
): Promise<Claim> {
  const { caller, method, key, fingerprint } = request;
  const claimed = await tx.execute<unknown[]>(
    `insert into idempotency_key (caller, method, key, fingerprint, resource_id) values (?, ?, ?, ?, ?)
     on conflict do nothing returning key`,
    [caller, method, key, fingerprint, resourceId],
  );
  return claimed.length === 1 ? { kind: 'first' } : repetition(request, await readKey(tx, request));
}

/** Records the encoded answer of a key, unless it has one, and tells which stands. */
export async function answerKey(
  tx: EntityManager,
  { caller, method, key }: KeyedRequest,
  answer: Uint8Array,
): Promise<Buffer> {
  const [row] = await tx.execute<{ answer: Buffer }[]>(
    `update idempotency_key set answer = coalesce(answer, ?)
     where caller = ? and method = ? and key = ? returning answer`,
    [Buffer.from(answer), caller, method, key],
  );
  return row?.answer ?? Buffer.from(answer);
}

/** Gives a key back, as if it had never been used. */
export async function freeKey(tx: EntityManager, { caller, method, key }: KeyedRequest): Promise<void> {
  await tx.execute('delete from idempotency_key where caller = ? and method = ? and key = ?', [
    caller,
    method,
    key,
  ]);
}

/** Gives back the keys of a method under which a resource was made. */
export async function freeKeysOf(tx: EntityManager, method: string, resourceId: string): Promise<void> {
  await tx.execute('delete from idempotency_key where resource_id = ? and method = ?', [resourceId, method]);
}

/** A response type as ts-proto writes it. */
export type Codec<R> = {
  encode(message: R): { finish(): Uint8Array };
  decode(bytes: Uint8Array): R;
};

/** A request, its response type, and the work that answers it. */
export type KeyedWork<R, W> = { request: KeyedRequest; response: Codec<R>; work: W };

/**
 * Answers a request whose whole effect is one transaction: the work runs in the transaction that takes the
 * key, so it happens once or not at all. A failure undoes both and leaves the key free. ABORTED with reason
 * IDEMPOTENCY_IN_PROGRESS when the first request is still at it after the database's lock timeout.
 */
export async function once<R>(
  database: Database,
  { request, response, work }: KeyedWork<R, (tx: EntityManager) => Promise<R>>,
): Promise<R> {
  try {
    return await database.em().transactional(async (tx) => {
      const claim = await claimKey(tx, request).catch((error: unknown) => {
        throw sqlState(error) === LOCK_NOT_AVAILABLE ? inProgress(request, error) : error;
      });
      if (claim.kind === 'repeated') return response.decode(answered(request, claim));
      const message = await work(tx);
      await answerKey(tx, request, response.encode(message).finish());
      return message;
    });
  } catch (error) {
    throw fromDatabaseError(error);
  }
}

/**
 * Answers a request whose work spans transactions and services, and which is itself safe to repeat. An
 * answered key is answered again; an unanswered one runs the work again, which finds what was done. A
 * refusal leaves the key free; an error that leaves the outcome open does not.
 */
export async function untilAnswered<R>(
  database: Database,
  { request, response, work }: KeyedWork<R, () => Promise<R>>,
): Promise<R> {
  const claim = await inTransaction(database, (tx) => claimKey(tx, request));
  if (claim.kind === 'repeated' && claim.answer !== undefined) return response.decode(claim.answer);
  try {
    const message = await work();
    const bytes = response.encode(message).finish();
    return response.decode(await inTransaction(database, (tx) => answerKey(tx, request, bytes)));
  } catch (error) {
    if (!leavesOutcomeOpen(error)) await inTransaction(database, (tx) => freeKey(tx, request));
    throw error;
  }
}

/**
 * Whether a failed call may have had its effect all the same: a timeout, a reset, a crash. Asking again by
 * the same key settles it. Every other status is a refusal, after which nothing was done.
 */
export function leavesOutcomeOpen(error: unknown): boolean {
  return !REFUSALS.has(toStatusError(error).code);
}

/** ABORTED: the first request of this key is still running. */
export function inProgress({ key }: KeyedRequest, cause?: unknown): StatusError {
  return new StatusError(status.ABORTED, 'the first request with this idempotency key is still running', {
    reason: 'IDEMPOTENCY_IN_PROGRESS',
    metadata: { request_id: key },
    cause,
  });
}

const REFUSALS: ReadonlySet<status> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
]);

type KeyRow = { fingerprint: Buffer; resource_id: string; answer: Buffer | null };

async function readKey(tx: EntityManager, request: KeyedRequest): Promise<KeyRow | undefined> {
  const { caller, method, key } = request;
  const [row] = await tx.execute<KeyRow[]>(
    `select fingerprint, resource_id, answer from idempotency_key
     where caller = ? and method = ? and key = ?`,
    [caller, method, key],
  );
  return row;
}

/** A key that was there and is gone was given back between two statements: its first request has just been refused. */
function repetition(request: KeyedRequest, row: KeyRow | undefined): Claim {
  if (row === undefined) throw inProgress(request);
  if (!row.fingerprint.equals(request.fingerprint)) throw reused(request);
  return { kind: 'repeated', resourceId: row.resource_id, answer: row.answer ?? undefined };
}

function answered(request: KeyedRequest, { answer }: { answer: Buffer | undefined }): Buffer {
  if (answer === undefined) throw inProgress(request);
  return answer;
}

function reused({ key }: KeyedRequest): StatusError {
  return new StatusError(
    status.FAILED_PRECONDITION,
    'this idempotency key was used for a request with another body',
    { reason: 'IDEMPOTENCY_KEY_REUSED', metadata: { request_id: key } },
  );
}

function inTransaction<T>(database: Database, work: (tx: EntityManager) => Promise<T>): Promise<T> {
  return database
    .em()
    .transactional(work)
    .catch((error: unknown) => {
      throw fromDatabaseError(error);
    });
}
