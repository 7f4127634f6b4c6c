/** Traces that come in and go out over HTTP headers. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SpanKind, trace } from '@opentelemetry/api';
import { startCollector } from './zipkin-collector.fixture.ts';
import type { ZipkinSpan } from './zipkin-collector.fixture.ts';
import {
  activeTraceId,
  extractContext,
  injectHeaders,
  startTracing,
  withHttpServerSpan,
  withSpan,
} from './tracing.ts';
import type { HttpHeaders } from './tracing.ts';

const TRACE = 'aaaabbbbccccddddaaaabbbbccccdddd';
const SPAN = '1111222233334444';

const collector = await startCollector();
const tracing = startTracing({ service: 'gateway', zipkinUrl: `${collector.url}/`, sampleRate: 1 });
after(async () => {
  await tracing.shutdown();
  await collector[Symbol.asyncDispose]();
});

/** The b3 header that a call made while serving such a request carries. */
function forwarded(headers: HttpHeaders): Promise<string> {
  const request = { method: 'GET', route: '/v1/products/{product_id}', headers };
  return withHttpServerSpan(request, () => injectHeaders()['b3'] ?? '');
}

const SAMPLED: [string, HttpHeaders][] = [
  ['B3 multi', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' }],
  ['B3 single', { b3: `${TRACE}-${SPAN}-1` }],
  ['B3 single with a parent', { b3: `${TRACE}-${SPAN}-1-5555666677778888` }],
  ['B3 debug', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' }],
  ['W3C', { traceparent: `00-${TRACE}-${SPAN}-01` }],
  ['both, where B3 wins', { traceparent: `00-${SPAN}${SPAN}-${SPAN}-01`, b3: `${TRACE}-${SPAN}-1` }],
];
for (const [name, headers] of SAMPLED) {
  test(`a trace continues from ${name}`, async () => {
    const [traceId, spanId, sampled] = (await forwarded(headers)).split('-');
    assert.equal(traceId, TRACE);
    assert.notEqual(spanId, SPAN, 'as a child');
    assert.match(sampled ?? '', /^[1d]$/u);
  });
}

test('64-bit trace ids are padded', async () => {
  assert.match(await forwarded({ b3: `aaaabbbbccccdddd-${SPAN}-1` }), /^0{16}aaaabbbbccccdddd-/u);
});

const UNSAMPLED: [string, HttpHeaders][] = [
  ['B3 single', { b3: `${TRACE}-${SPAN}-0` }],
  ['W3C', { traceparent: `00-${TRACE}-${SPAN}-00` }],
];
for (const [name, headers] of UNSAMPLED) {
  test(`a caller that does not sample (${name}) is followed`, async () => {
    assert.match(await forwarded(headers), new RegExp(`^${TRACE}-[0-9a-f]{16}-0$`, 'u'));
  });
}

for (const headers of [{ b3: '0' }, { 'x-b3-sampled': '0' }]) {
  test(`${JSON.stringify(headers)} without ids is a request not to be traced`, async () => {
    assert.match(await forwarded(headers), /^(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-0$/u);
  });
}

for (const headers of [
  {},
  { b3: 'x' },
  { b3: `${'0'.repeat(32)}-${SPAN}-1` },
  { traceparent: '00-zz-zz-01' },
]) {
  test(`${JSON.stringify(headers)} begins a new sampled trace`, async () => {
    const b3 = await forwarded(headers);
    assert.match(b3, /^[0-9a-f]{32}-[0-9a-f]{16}-1$/u);
    assert.ok(!b3.startsWith(TRACE) && !b3.startsWith('0'.repeat(32)));
  });
}

test('headers are added to those given, and none outside of a trace', async () => {
  assert.deepEqual(injectHeaders({ accept: 'text/plain' }), { accept: 'text/plain' });
  assert.equal(activeTraceId(), undefined);
  await withSpan('work', { parent: extractContext({ b3: `${TRACE}-${SPAN}-1` }) }, () => {
    assert.equal(activeTraceId(), TRACE);
    assert.deepEqual(Object.keys(injectHeaders({ accept: 'text/plain' })), ['accept', 'b3']);
  });
});

test('a failed span tells reason or type of its error, not the message, and the error goes on', async () => {
  const refused = Object.assign(new Error("values ('bob@example.com')"), { reason: 'OUT_OF_STOCK' });
  const attributes = { 'order.id': 'o1' };
  const failing = withSpan('reserve', { kind: SpanKind.CLIENT, attributes }, () => Promise.reject(refused));
  await assert.rejects(failing, refused);
  await assert.rejects(
    withSpan('parse', {}, () => JSON.parse('{bob@')),
    SyntaxError,
  );
  const [reserve, parse] = [await arrived('reserve'), await arrived('parse')];
  assert.equal(reserve.kind, 'CLIENT');
  assert.equal(reserve.tags['order.id'], 'o1');
  assert.equal(reserve.tags['error'], 'OUT_OF_STOCK');
  assert.equal(parse.tags['error'], 'SyntaxError');
  assert.ok(!JSON.stringify(collector.spans).includes('bob@'));
});

test('an HTTP server span is named by its route', async () => {
  const headers = { b3: `${TRACE}-${SPAN}-1` };
  await withHttpServerSpan({ method: 'POST', route: '/v1/orders', headers }, () => undefined);
  const span = await arrived('POST /v1/orders');
  assert.equal(span.kind, 'SERVER');
  assert.equal(span.parentId, SPAN);
  assert.equal(span.localEndpoint.serviceName, 'gateway');
});

test('the sample rate changes while running, for new traces only', async () => {
  tracing.setSampleRate(0);
  assert.match(await forwarded({}), /-0$/u);
  assert.match(await forwarded({ b3: `${TRACE}-${SPAN}-1` }), /-1$/u);
  tracing.setSampleRate(0.5);
  const sampled = await Promise.all(
    Array.from({ length: 400 }, () => withSpan('new', {}, () => isSampled())),
  );
  const share = sampled.filter(Boolean).length / sampled.length;
  assert.ok(share > 0.35 && share < 0.65, `about a half: ${share}`);
  tracing.setSampleRate(1);
  assert.match(await forwarded({}), /-1$/u);
});

function isSampled(): boolean {
  return trace.getActiveSpan()?.isRecording() === true;
}

/** The span of a name, as soon as the collector has it. */
async function arrived(name: string): Promise<ZipkinSpan> {
  for (let wait = 0; wait < 60; wait += 1) {
    const span = collector.spans.find((each) => each.name === name);
    if (span !== undefined) return span;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no span ${name} came`);
}
