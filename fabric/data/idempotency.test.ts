/** Idempotency keys on a real PostgreSQL, from two replicas. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { defineEntity, p } from '@mikro-orm/postgresql';
import type { EntityManager } from '@mikro-orm/postgresql';
import pg from 'pg';
import { pino } from 'pino';
import { BatchGetProductsRequest as Message } from '#gen/mercer/product/v1/product_service.ts';
import { StatusError } from '../rpc/status-error.ts';
import type { CallContext } from '../rpc/call-context.ts';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import {
  claimKey,
  freeKeysOf,
  IDEMPOTENCY_TABLE,
  keyedRequest,
  leavesOutcomeOpen,
  once,
  untilAnswered,
} from './idempotency.ts';
import type { KeyedRequest } from './idempotency.ts';

const Effect = defineEntity({
  name: 'Effect',
  tableName: 'effect',
  properties: { note: p.text().primary() },
});
let one: Database;
let other: Database;

before(async () => {
  const admin = new URL(process.env['MERCER_TEST_POSTGRES'] ?? '');
  const name = `keys_${randomBytes(4).toString('hex')}`;
  await execute(admin, `create database ${name}`);
  const url = new URL(name, admin);
  for (const statement of IDEMPOTENCY_TABLE) await execute(url, statement);
  await execute(url, 'create table effect (note text primary key)');
  const log = pino({ level: 'silent' });
  [one, other] = await Promise.all([
    openDatabase({ url: url.href, entities: [Effect], log }),
    openDatabase({ url: url.href, entities: [Effect], log }),
  ]);
});
after(() => Promise.all([one.close(), other.close()]));

test('the work of a key happens once, whichever of two replicas twenty concurrent requests reach', async () => {
  const request = keyed('POST');
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      once(index % 2 === 0 ? one : other, { request, response: Message, work: effect(`run ${index}`) }),
    ),
  );
  assert.equal(new Set(answers.map((answer) => answer.productIds[0])).size, 1);
  assert.equal(await countEffects(answers[0]?.productIds[0] ?? ''), 1);
});

test('the same key with another body is refused and changes nothing', async () => {
  const request = keyed('A');
  await once(one, { request, response: Message, work: effect('first body') });
  const second = { ...request, fingerprint: fingerprint('B') };
  await assert.rejects(once(other, { request: second, response: Message, work: effect('second body') }), {
    code: status.FAILED_PRECONDITION,
    reason: 'IDEMPOTENCY_KEY_REUSED',
  });
  assert.equal(await countEffects('second body'), 0);
});

test('the same key of another caller, or for another method, is another key', async () => {
  const request = keyed('body');
  await once(one, { request, response: Message, work: effect('mine') });
  await once(one, { request: { ...request, caller: 'idp bob' }, response: Message, work: effect("bob's") });
  await once(one, { request: { ...request, method: '/other' }, response: Message, work: effect('other') });
  assert.equal(await countEffects("bob's"), 1);
  assert.equal(await countEffects('other'), 1);
});

test('a failure undoes the effect and leaves the key free, even for another body', async () => {
  const request = keyed('bad');
  const failing = async (tx: EntityManager): Promise<Message> => {
    await effect('undone')(tx);
    throw new StatusError(status.NOT_FOUND, 'no such thing', { reason: 'PRODUCT_NOT_FOUND' });
  };
  await assert.rejects(once(one, { request, response: Message, work: failing }), { code: status.NOT_FOUND });
  assert.equal(await countEffects('undone'), 0);
  const corrected = { ...request, fingerprint: fingerprint('good') };
  const answer = await once(one, { request: corrected, response: Message, work: effect('corrected') });
  assert.deepEqual(answer.productIds, ['corrected']);
});

test('a request that waits longer than the lock timeout for the first is told that it is in progress', async () => {
  const request = keyed('slow');
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
  const slow = once(one, {
    request,
    response: Message,
    work: async () => {
      begin(undefined);
      await released;
      return Message.create();
    },
  });
  await begun;
  await assert.rejects(once(other, { request, response: Message, work: effect('never') }), {
    code: status.ABORTED,
    reason: 'IDEMPOTENCY_IN_PROGRESS',
  });
  release(undefined);
  await slow;
});

test('a row that the work waits for in vain is a conflict, not a request in progress', async () => {
  const rival = other.em();
  await rival.begin();
  await rival.execute("insert into effect values ('contended')");
  const request = keyed('contended');
  await assert.rejects(once(one, { request, response: Message, work: effect('contended') }), {
    code: status.ABORTED,
    reason: 'CONFLICT',
  });
  await rival.rollback();
  await once(one, { request, response: Message, work: effect('contended') });
});

test('work over many transactions runs again while it is unanswered, and is answered alike ever after', async () => {
  const request = keyed('steps');
  let runs = 0;
  const attempt = (outcome: () => Promise<Message>): Promise<Message> =>
    untilAnswered(runs % 2 === 0 ? one : other, {
      request,
      response: Message,
      work: () => {
        runs += 1;
        return outcome();
      },
    });
  const lost = new StatusError(status.UNAVAILABLE, 'reset');
  await assert.rejects(
    attempt(() => Promise.reject(lost)),
    { code: status.UNAVAILABLE },
  );
  const first = await attempt(() => Promise.resolve(Message.create({ productIds: ['done'] })));
  const second = await attempt(() => Promise.reject(new Error('answered before')));
  assert.deepEqual(second, first);
  assert.equal(runs, 2);
});

test('two runs of one unanswered key give one answer, whichever of them is first', async () => {
  const request = keyed('steps');
  const both = Promise.withResolvers<undefined>();
  let running = 0;
  const run = (database: Database, note: string): Promise<Message> =>
    untilAnswered(database, {
      request,
      response: Message,
      work: async () => {
        running += 1;
        if (running === 2) both.resolve(undefined);
        await both.promise;
        return Message.create({ productIds: [note] });
      },
    });
  const [first, second] = await Promise.all([run(one, 'one'), run(other, 'other')]);
  assert.deepEqual(first, second);
});

test('a refusal of work over many transactions leaves the key free', async () => {
  const request = keyed('steps');
  const refusal = new StatusError(status.FAILED_PRECONDITION, 'no');
  const work = (): Promise<Message> => Promise.reject(refusal);
  await assert.rejects(untilAnswered(one, { request, response: Message, work }), refusal);
  const other = { ...request, fingerprint: fingerprint('other body') };
  assert.deepEqual(await one.em().transactional((tx) => claimKey(tx, other)), { kind: 'first' });
});

test('a repetition finds what the first request brought forth, until its key is given back', async () => {
  const request = keyed('order');
  const claim = (database: Database): ReturnType<typeof claimKey> =>
    database.em().transactional((tx) => claimKey(tx, request, 'order-1'));
  await claim(one);
  assert.deepEqual(await claim(other), { kind: 'repeated', resourceId: 'order-1', answer: undefined });
  await one.em().transactional((tx) => freeKeysOf(tx, request.method, 'order-1'));
  assert.deepEqual(await claim(other), { kind: 'first' });
});

test('a key is named by issuer and subject, and requests without one share none', () => {
  const call = {
    method: '/m',
    user: { issuer: 'https://idp', subject: 'alice', roles: [], scopes: [], expiresAt: new Date() },
  } as unknown as CallContext;
  const body = Buffer.from('body');
  assert.equal(keyedRequest(call, 'k', body).caller, 'https://idp alice');
  assert.deepEqual(keyedRequest(call, 'k', body), keyedRequest(call, 'k', body));
  assert.notEqual(keyedRequest(call, '', body).key, keyedRequest(call, '', body).key);
});

test('a refusal says that nothing was done; timeouts, resets and crashes leave the outcome open', () => {
  const open = [
    status.UNAVAILABLE,
    status.DEADLINE_EXCEEDED,
    status.INTERNAL,
    status.UNKNOWN,
    status.CANCELLED,
  ];
  const closed = [
    status.NOT_FOUND,
    status.FAILED_PRECONDITION,
    status.INVALID_ARGUMENT,
    status.UNAUTHENTICATED,
  ];
  for (const code of open) assert.equal(leavesOutcomeOpen(new StatusError(code, '')), true);
  for (const code of closed) assert.equal(leavesOutcomeOpen(new StatusError(code, '')), false);
  assert.equal(leavesOutcomeOpen(new TypeError('a defect')), true);
});

function keyed(body: string): KeyedRequest {
  return { caller: 'idp alice', method: '/m', key: randomUUID(), fingerprint: fingerprint(body) };
}

function fingerprint(body: string): Buffer {
  return createHash('sha256').update(body).digest();
}

function effect(note: string): (tx: EntityManager) => Promise<Message> {
  return async (tx) => {
    await tx.execute('insert into effect values (?)', [note]);
    return Message.create({ productIds: [note] });
  };
}

async function countEffects(note: string): Promise<number> {
  const rows = await one.em().execute<unknown[]>('select from effect where note = ?', [note]);
  return rows.length;
}

async function execute(url: URL, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(statement);
  await client.end();
}
