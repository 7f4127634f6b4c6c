/** Traces as a Zipkin collector receives them from a real process. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCollector } from './zipkin-collector.fixture.ts';
import type { ZipkinSpan } from './zipkin-collector.fixture.ts';

const FIXTURE = fileURLToPath(new URL('traced-calls.fixture.ts', import.meta.url));

type LogLine = {
  event: string;
  traceId?: string;
  spanId?: string;
  lost?: number;
  headers?: Record<string, string>;
};

async function runFixture(env: Record<string, string>): Promise<{ lines: LogLine[]; stderr: string }> {
  const options = { env: { ...process.env, ...env }, timeout: 30_000 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [FIXTURE], options);
  return {
    lines: stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine),
    stderr,
  };
}

function only(spans: ZipkinSpan[], name: string, kind: string): ZipkinSpan {
  const [found, ...more] = spans.filter((span) => span.name === name && span.kind === kind);
  assert.ok(found !== undefined && more.length === 0, `one ${kind} span ${name}`);
  return found;
}

test('calls of every kind on a plain client are traced although grpc-js was imported before', async () => {
  await using collector = await startCollector();
  const { lines, stderr } = await runFixture({ ZIPKIN_URL: collector.url });
  const { spans } = collector;
  assert.equal(stderr, '', 'no warning');
  const root = spans.find((span) => span.name === 'root');
  assert.ok(root !== undefined && root.parentId === undefined);
  assert.deepEqual([...new Set(spans.map((span) => span.traceId))], [root.traceId], 'one trace');
  for (const name of ['Nested', 'Fail', 'Many', 'Both']) {
    const calling = only(spans, `grpc.test.Echo/${name}`, 'CLIENT');
    const serving = only(spans, `grpc.test.Echo/${name}`, 'SERVER');
    assert.equal(calling.parentId, root.id, `${name} is called by root`);
    assert.equal(serving.parentId, calling.id, `${name} is served for its caller`);
    assert.equal(serving.localEndpoint.serviceName, 'fixture');
  }
  const inner = only(spans, 'grpc.test.Echo/One', 'CLIENT');
  assert.equal(
    inner.parentId,
    only(spans, 'grpc.test.Echo/Nested', 'SERVER').id,
    'context survives an await',
  );
  const served = only(spans, 'grpc.test.Echo/One', 'SERVER');
  assert.equal(served.parentId, inner.id);
  assert.equal(only(spans, 'grpc.test.Echo/Fail', 'SERVER').tags['otel.status_code'], 'ERROR');
  assert.equal(spans.length, 11, 'neither WatchThings nor Heartbeat');
  const line = lines.find(({ event }) => event === 'one');
  assert.equal(line?.traceId, root.traceId, 'a log line names its trace');
  assert.equal(line?.spanId, served.id, 'and its span');
  assert.equal(line?.headers?.['b3'], `${root.traceId}-${inner.id}-1`, 'B3 single header');
  assert.ok(
    !Object.keys(line?.headers ?? {}).some((name) => /^x-b3-|^traceparent$/u.test(name)),
    'and no other',
  );
});

test('unsampled traces send no span but still carry their ids', async () => {
  await using collector = await startCollector();
  const { lines } = await runFixture({ ZIPKIN_URL: collector.url, SAMPLE_RATE: '0' });
  assert.equal(collector.spans.length, 0);
  const line = lines.find(({ event }) => event === 'one');
  assert.match(line?.headers?.['b3'] ?? '', /^[0-9a-f]{32}-[0-9a-f]{16}-0$/u);
  assert.equal(line?.traceId, line?.headers?.['b3']?.slice(0, 32));
});

for (const mode of ['failing', 'stalled'] as const) {
  test(`a ${mode} collector costs its spans only`, async () => {
    await using collector = await startCollector(mode);
    const { lines, stderr } = await runFixture({ ZIPKIN_URL: collector.url });
    assert.equal(stderr, '');
    assert.equal(lines.find(({ event }) => event === 'done')?.lost, 11);
  });
}

test('a collector that is away costs its spans only', async () => {
  const collector = await startCollector();
  await collector[Symbol.asyncDispose]();
  const { lines, stderr } = await runFixture({ ZIPKIN_URL: collector.url });
  assert.equal(stderr, '');
  assert.equal(lines.find(({ event }) => event === 'done')?.lost, 11);
});
