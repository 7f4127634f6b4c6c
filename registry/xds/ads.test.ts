/** Real gRPC clients in processes of their own find, share, lose and find again what the registry holds. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import type { Answers, Order } from './caller.fixture.ts';
import { startTestRegistry } from './instances.fixture.ts';
import type { TestRegistry } from './instances.fixture.ts';

type Caller = (target: string, calls: number, timeout?: number) => Promise<Answers>;

async function startCaller(t: TestContext, registry: TestRegistry): Promise<Caller> {
  const file = new URL('caller.fixture.ts', import.meta.url);
  const child = fork(file, [`127.0.0.1:${registry.ads.port}`], { execArgv: [] });
  t.after(() => void child.kill());
  await once(child, 'message', { signal: AbortSignal.timeout(10_000) });
  return async (target, calls, timeout = 5_000) => {
    const answered = once(child, 'message', { signal: AbortSignal.timeout(60_000) });
    child.send({ target, calls, timeout } satisfies Order);
    const [answers] = (await answered) as [Answers];
    return answers;
  };
}

/** A server that answers with its port, after `delay` ms. */
async function startBackend(t: TestContext, delay = 0): Promise<number> {
  const server = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  const who = { path: '/test.Backend/Who', requestStream: false, responseStream: false } as const;
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  let port = 0;
  server.addService(
    { who: { ...who, ...codec } },
    {
      who: (_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
        void setTimeout(() => done(null, Buffer.from(String(port))), delay),
    },
  );
  port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.after(() => server.forceShutdown());
  return port;
}

async function started(t: TestContext): Promise<{ registry: TestRegistry; call: Caller }> {
  const registry = await startTestRegistry();
  t.after(() => registry.ads.close());
  return { registry, call: await startCaller(t, registry) };
}

function countOf(answers: string[], answer: string | number): number {
  return answers.filter((each) => each === String(answer)).length;
}

/** Calls until the answers satisfy a condition; answers how long that took, in ms. */
async function until(call: Caller, target: string, holds: (answers: string[]) => boolean): Promise<number> {
  const start = performance.now();
  while (performance.now() - start < 5_000) {
    if (holds((await call(target, 4)).answers)) return performance.now() - start;
  }
  throw new Error(`${target} did not change within 5 s`);
}

test('two backends share the calls evenly, and joins and leaves are seen within 250 ms', async (t) => {
  const { registry, call } = await started(t);
  const [first, second, third] = [await startBackend(t), await startBackend(t), await startBackend(t)];
  await registry.register('product', first);
  const leaving = await registry.register('product', second);
  const { answers } = await call('xds:///product', 100);
  assert.ok(countOf(answers, first) >= 45 && countOf(answers, second) >= 45, answers.join());
  await registry.register('product', third);
  const joined = await until(call, 'xds:///product', (each) => countOf(each, third) > 0);
  await registry.leases.end(leaving.leaseId);
  const left = await until(call, 'xds:///product', (each) => countOf(each, second) === 0);
  assert.ok(joined < 250 && left < 250, `joined ${joined} ms, left ${left} ms`);
  assert.deepEqual(registry.ads.nacks(), []);
});

test('an unknown name fails at once and heals when it registers', async (t) => {
  const { registry, call } = await started(t);
  const { answers, took } = await call('xds:///nobody', 1, 10_000);
  assert.deepEqual(answers, ['UNAVAILABLE']);
  assert.ok(took < 2_000, `${took} ms`);
  const port = await startBackend(t);
  await registry.register('nobody', port);
  assert.ok((await until(call, 'xds:///nobody', (each) => countOf(each, port) === 4)) < 1_000);
});

test('a name that nobody could register fails at once too', async (t) => {
  const { call } = await started(t);
  const { answers, took } = await call('xds:///no_such:50051', 1, 10_000);
  assert.deepEqual(answers, ['UNAVAILABLE']);
  assert.ok(took < 2_000, `${took} ms`);
});

test('all instances gone is UNAVAILABLE at once, and the same instances back are served again', async (t) => {
  const { registry, call } = await started(t);
  const port = await startBackend(t);
  const lease = await registry.register('product', port);
  assert.deepEqual((await call('xds:///product', 1)).answers, [String(port)]);
  await registry.leases.end(lease.leaseId);
  await until(call, 'xds:///product', (each) => countOf(each, 'UNAVAILABLE') === 4);
  await registry.register('product', port);
  await until(call, 'xds:///product', (each) => countOf(each, port) === 4);
});

test('zones and weights are obeyed, and a zone that only drains takes no call', async (t) => {
  const { registry, call } = await started(t);
  const [light, heavy, draining] = [await startBackend(t), await startBackend(t), await startBackend(t)];
  await registry.register('product', light, { zone: 'a' });
  await registry.register('product', heavy, { zone: 'a', weight: 9 });
  await registry.register('product', draining, { zone: 'b', status: 'DRAINING' });
  const { answers } = await call('xds:///product', 300);
  const share = countOf(answers, heavy);
  assert.ok(share > 240 && share < 295, `${share} of 300`);
  assert.equal(countOf(answers, light), 300 - share);
  assert.deepEqual(registry.ads.nacks(), []);
});

test('an instance that drains finishes its calls and takes no more', async (t) => {
  const { registry, call } = await started(t);
  const [slow, other] = [await startBackend(t, 700), await startBackend(t)];
  const lease = await registry.register('product', slow);
  const open = call('xds:///product', 1);
  await sleep(300);
  await registry.register('product', other);
  await registry.leases.setStatus({ lease, status: 'DRAINING', operator: true });
  assert.deepEqual((await open).answers, [String(slow)]);
  assert.equal(countOf((await call('xds:///product', 20)).answers, other), 20);
});

test('a registry that is away, and returns knowing nothing, costs its warm clients no call', async (t) => {
  const { registry, call } = await started(t);
  const port = await startBackend(t);
  await registry.register('product', port);
  await call('xds:///product', 1);
  registry.ads.close();
  await sleep(200);
  assert.equal(countOf((await call('xds:///product', 20)).answers, port), 20);
  const again = await startTestRegistry({ port: registry.ads.port });
  t.after(() => again.ads.close());
  await resubscribed(again);
  await sleep(300);
  assert.equal(countOf((await call('xds:///product', 20)).answers, port), 20);
  const next = await startBackend(t);
  await again.register('product', next);
  await until(call, 'xds:///product', (each) => countOf(each, next) === 4);
  assert.deepEqual(again.ads.nacks(), []);
});

async function resubscribed({ ads }: TestRegistry): Promise<void> {
  const end = Date.now() + 10_000;
  while (ads.streams() === 0 && Date.now() < end) await sleep(20);
  assert.equal(ads.streams(), 1);
}
