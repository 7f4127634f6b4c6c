/** The admin port as Prometheus and a supervisor see it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAdminServer } from './admin-server.ts';
import type { AdminServerOptions } from './admin-server.ts';
import { createMetrics } from './metrics.ts';

type Running = AsyncDisposable & { url: string; port: number };

async function start(options: Partial<AdminServerOptions> = {}): Promise<Running> {
  const { port, close } = await startAdminServer({
    bind: '127.0.0.1',
    port: 0,
    metrics: createMetrics('order'),
    live: () => Promise.resolve(true),
    ready: () => Promise.resolve({ ok: true, checks: { database: 'ok' } }),
    ...options,
  });
  return { url: `http://127.0.0.1:${port}`, port, [Symbol.asyncDispose]: close };
}

test('metrics are served in the Prometheus text format', async () => {
  await using server = await start();
  const response = await fetch(`${server.url}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/u);
  assert.match(await response.text(), /^process_start_time_seconds/mu);
});

test('a ready process answers 200 with what it checked', async () => {
  await using server = await start();
  const response = await fetch(`${server.url}/readyz?verbose`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(await response.json(), { ok: true, checks: { database: 'ok' } });
});

test('a process that is not ready, or whose check fails, answers 503', async () => {
  const unready = { ok: false, checks: { database: 'not reachable' } };
  await using server = await start({ ready: () => Promise.resolve(unready) });
  const response = await fetch(`${server.url}/readyz`);
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), unready);
  await using broken = await start({ ready: () => Promise.reject(new Error('secret')) });
  const failed = await fetch(`${broken.url}/readyz`);
  assert.equal(failed.status, 503);
  assert.ok(!(await failed.text()).includes('secret'));
});

test('a check that hangs has failed after 2 s', async () => {
  await using server = await start({ ready: () => new Promise(() => undefined) });
  const response = await fetch(`${server.url}/readyz`, { signal: AbortSignal.timeout(5_000) });
  assert.equal(response.status, 503);
});

test('liveness does not depend on readiness', async () => {
  await using server = await start({ ready: () => Promise.resolve({ ok: false, checks: {} }) });
  assert.equal((await fetch(`${server.url}/livez`)).status, 200);
  await using dead = await start({ live: () => Promise.resolve(false) });
  assert.equal((await fetch(`${dead.url}/livez`)).status, 503);
});

test('other paths are 404, other methods 405 with Allow, and HEAD has no body', async () => {
  await using server = await start();
  assert.equal((await fetch(`${server.url}/`)).status, 404);
  assert.equal((await fetch(`${server.url}/metrics/x`, { method: 'POST' })).status, 404);
  const posted = await fetch(`${server.url}/metrics`, { method: 'POST', body: 'x' });
  assert.equal(posted.status, 405);
  assert.equal(posted.headers.get('allow'), 'GET, HEAD');
  const head = await fetch(`${server.url}/livez`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
});

test('a taken port fails the start and names the port', async () => {
  await using server = await start();
  await assert.rejects(start({ port: server.port }), new RegExp(`EADDRINUSE.*${server.port}`, 'u'));
});

test('closing cuts off requests under way', async () => {
  const asked = Promise.withResolvers<void>();
  const never = (): Promise<never> => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const server = await start({ ready: never });
  const waiting = assert.rejects(fetch(`${server.url}/readyz`));
  await asked.promise;
  await server[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(fetch(`${server.url}/livez`), 'and the port is free');
});
