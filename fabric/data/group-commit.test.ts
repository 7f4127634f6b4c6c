/** Group commit: nobody waits for company, and nobody fails for a neighbour. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { defineEntity, p } from '@mikro-orm/postgresql';
import pg from 'pg';
import { pino } from 'pino';
import { currentCall, runInCall } from '../rpc/call-context.ts';
import type { CallContext } from '../rpc/call-context.ts';
import { StatusError } from '../rpc/status-error.ts';
import { activeTraceId } from '../telemetry/tracing.ts';
import { openCommitCut } from './commit-cut.fixture.ts';
import { openDatabase } from './database.ts';
import { groupCommit } from './group-commit.ts';

const Entry = defineEntity({
  name: 'Entry',
  tableName: 'entry',
  properties: { n: p.integer().primary() },
});
const admin = new URL(process.env['MERCER_TEST_POSTGRES'] ?? '');
const name = `batches_${randomBytes(4).toString('hex')}`;
await execute(admin, `create database ${name}`);
const url = new URL(name, admin);
await execute(url, 'create table entry (n int primary key check (n >= 0))');
const cut = await openCommitCut(url);
const log = pino({ level: 'silent' });
const database = await openDatabase({ url: cut.url.href, entities: [Entry], log });
test.after(() => database.close());

test('the first call is written at once; those that arrive meanwhile are written together', async () => {
  const { batches, release, write } = gated({ largest: 3 });
  const first = write(1);
  await Promise.resolve();
  assert.deepEqual(batches, [[1]]);
  const calls = [first, ...[2, 3, 4, 5].map((n) => write(n))];
  release();
  await turn();
  assert.deepEqual(batches, [[1], [2, 3, 4]]);
  release();
  await turn();
  release();
  assert.deepEqual(await Promise.all(calls), [1, 2, 3, 4, 5].map(done));
  assert.deepEqual(batches, [[1], [2, 3, 4], [5]]);
});

test('what one caller asks for at once is one batch', async () => {
  const { batches, release, write } = gated();
  const calls = Promise.all([1, 2, 3].map((n) => write(n)));
  await turn();
  release();
  await calls;
  assert.deepEqual(batches, [[1, 2, 3]]);
});

test('a call that comes when all is quiet is written at once again', async () => {
  const { batches, release, write } = gated();
  for (const n of [1, 2]) {
    const call = write(n);
    await Promise.resolve();
    assert.equal(batches.length, n);
    release();
    await call;
    await turn();
  }
  assert.deepEqual(batches, [[1], [2]]);
});

test('each call gets its own outcome: one is refused, its neighbours are not', async () => {
  const write = groupCommit({
    name: 'test',
    run: (items: readonly number[]) =>
      Promise.resolve(items.map((n) => (n === 3 ? new StatusError(status.NOT_FOUND, 'no 3') : done(n)))),
  });
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map((n) => write(n)));
  assert.deepEqual(
    outcomes.map((each) => (each.status === 'fulfilled' ? each.value.n : reasonOf(each.reason))),
    [1, 2, 'no 3', 4],
  );
});

test('an item that the database cannot take fails alone, after few transactions', async () => {
  const sizes: number[] = [];
  const write = groupCommit({ name: 'insert', run: insert, observe: (size) => sizes.push(size) });
  const items = [...Array.from({ length: 63 }, (_, n) => n), -1];
  const outcomes = await Promise.allSettled(items.map((n) => write(n)));
  assert.deepEqual(
    outcomes.map((each) => each.status),
    items.map((n) => (n < 0 ? 'rejected' : 'fulfilled')),
  );
  assert.equal(await stored(0, 62), 63);
  assert.ok(sizes.length <= 14, `${sizes.join()}: halving 63 takes 13 transactions at most, and one before`);
});

test('an item that stays in the way of others is tried three times, and no more', async () => {
  let attempts = 0;
  const write = groupCommit({
    name: 'test',
    run: () => {
      attempts += 1;
      return Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }));
    },
  });
  await assert.rejects(write(1), { code: status.ABORTED, reason: 'CONFLICT' });
  assert.equal(attempts, 3);
});

test('a row that somebody holds for long delays its own item, and fails no other', async () => {
  const rival = new pg.Client({ connectionString: url.href });
  await rival.connect();
  await rival.query('begin');
  await rival.query('insert into entry values (401)');
  const write = groupCommit({ name: 'insert', run: insert });
  const outcomes = await Promise.allSettled([401, 402, 403, 404].map((n) => write(n)));
  await rival.end();
  assert.deepEqual(
    outcomes.map((each) => each.status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
});

test('a COMMIT whose answer is lost leaves all of its batch open, and is not tried again', async () => {
  const sizes: number[] = [];
  const write = groupCommit({ name: 'insert', run: insert, observe: (size) => sizes.push(size) });
  await write(500);
  cut.cutNext();
  const rest = [501, 502, 503].map((n) => write(n));
  for (const outcome of await Promise.allSettled(rest)) {
    assert.equal(outcome.status, 'rejected');
    assert.ok(outcome.reason instanceof StatusError);
    assert.equal(outcome.reason.code, status.UNAVAILABLE);
  }
  assert.equal(await stored(500, 503), 4, 'it was committed all the same');
  assert.deepEqual(sizes, [1, 3]);
  await write(504);
});

test('a batch that hangs is given up, and the next one goes on', async () => {
  const { batches, release, write } = gated({ timeout: 50 });
  await assert.rejects(write(1), { code: status.DEADLINE_EXCEEDED, reason: 'DATABASE_TIMEOUT' });
  const second = write(2);
  await turn();
  release();
  assert.deepEqual(await second, done(2));
  assert.deepEqual(batches, [[1], [2]]);
});

test('more calls than may wait are turned away at once', async () => {
  const { release, write } = gated({ room: 2 });
  const first = write(1);
  await turn();
  const calls = [first, write(2), write(3)];
  await assert.rejects(write(4), { code: status.RESOURCE_EXHAUSTED, reason: 'OVERLOADED' });
  release();
  await turn();
  release();
  await Promise.all(calls);
});

test('two items of one key are written one after the other', async () => {
  const { batches, release, write } = gated({ keyOf: (n) => String(n % 10) });
  const calls = [2, 12, 3, 22].map((n) => write(n));
  for (let round = 0; round < 4; round += 1) {
    await turn();
    release();
  }
  await Promise.all(calls);
  assert.deepEqual(batches, [[2, 3], [12], [22]]);
});

test('a caller that leaves while it waits is not served; one that leaves while it is written only stops waiting', async () => {
  const { batches, release, write } = gated();
  const [first, second, third] = [caller(), caller(), caller()];
  const begin = ({ call }: { call: CallContext }, n: number) => runInCall(call, () => write(n));
  const calls = [begin(first, 0)];
  await turn();
  calls.push(begin(second, 1), begin(third, 2));
  first.leave();
  second.leave();
  await assert.rejects(calls[0] ?? Promise.resolve(), { code: status.CANCELLED });
  await assert.rejects(calls[1] ?? Promise.resolve(), { code: status.CANCELLED });
  release();
  await turn();
  release();
  assert.deepEqual(await calls[2], done(2));
  assert.deepEqual(batches, [[0], [2]]);
});

test('a caller whose deadline passes stops waiting', async () => {
  const { release, write } = gated();
  const signal = AbortSignal.timeout(20);
  const call = { ...caller().call, deadline: new Date(Date.now() + 15), signal };
  await assert.rejects(
    runInCall(call, () => write(1)),
    { code: status.DEADLINE_EXCEEDED, reason: 'DEADLINE_EXCEEDED' },
  );
  release();
});

test('a batch belongs to none of its callers: it sees no call, and each caller stays in its own', async () => {
  const own = new AsyncLocalStorage<number>();
  const seen: unknown[] = [];
  const write = groupCommit({
    name: 'test',
    run: async (items: readonly number[]) => {
      await sleep(1);
      seen.push(currentCall(), own.getStore());
      return items.map(done);
    },
  });
  const callers = [1, 2, 3].map((n) =>
    own.run(n, () =>
      runInCall(caller().call, async () => {
        await sleep(n);
        await write(n);
        return [own.getStore(), currentCall() !== undefined];
      }),
    ),
  );
  assert.deepEqual(
    await Promise.all(callers),
    [1, 2, 3].map((n) => [n, true]),
  );
  assert.ok(seen.length > 0);
  assert.deepEqual(new Set(seen), new Set([undefined]));
});

test('a batch shows in the trace of the first of its callers, and each caller stays in its own', async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const seen: (string | undefined)[] = [];
  const write = groupCommit({
    name: 'test',
    run: async (items: readonly number[]) => {
      await sleep(1);
      seen.push(activeTraceId());
      return items.map(done);
    },
  });
  const traced = async (digit: number): Promise<boolean> => {
    await write(digit);
    return activeTraceId() === String(digit).repeat(32);
  };
  const calls = [write(0), ...[1, 2].map((digit) => context.with(traceOf(digit), () => traced(digit)))];
  assert.deepEqual((await Promise.all(calls)).slice(1), [true, true]);
  await write(3);
  assert.deepEqual(seen, ['1'.repeat(32), undefined]);
});

type Limits = { largest?: number; room?: number; timeout?: number; keyOf?: (n: number) => string };

/** Batches that are written only when they are let go. */
function gated(limits: Limits = {}) {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  const write = groupCommit({
    name: 'test',
    ...limits,
    run: async (items: readonly number[]) => {
      batches.push([...items]);
      await new Promise<void>((resolve) => gates.push(resolve));
      return items.map(done);
    },
  });
  return { batches, write, release: () => gates.pop()?.() };
}

function traceOf(digit: number): Context {
  const traceId = String(digit).repeat(32);
  const span = trace.wrapSpanContext({ traceId, spanId: traceId.slice(16), traceFlags: 1 });
  return trace.setSpan(ROOT_CONTEXT, span);
}

function done(n: number): { n: number } {
  return { n };
}

function insert(items: readonly number[]): Promise<{ n: number }[]> {
  return database.em().transactional(async (tx) => {
    await tx.execute('insert into entry select unnest(array[?]::int[])', [items]);
    return items.map(done);
  });
}

async function stored(from: number, to: number): Promise<number> {
  const { rows } = await execute(
    url,
    `select count(*)::int as n from entry where n between ${from} and ${to}`,
  );
  return Number(rows[0]?.['n']);
}

function caller(): { call: CallContext; leave: () => void } {
  const controller = new AbortController();
  const call = {
    method: '/test',
    caller: undefined,
    user: undefined,
    token: undefined,
    requestId: 'test',
    deadline: new Date(Date.now() + 60_000),
    signal: controller.signal,
  };
  return { call, leave: () => controller.abort() };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function execute(at: URL, statement: string): Promise<pg.QueryResult<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: at.href });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
