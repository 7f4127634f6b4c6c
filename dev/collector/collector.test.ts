/** The collector as reporters, readers and people meet it: its own process, over HTTP. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SpanKind } from '@opentelemetry/api';
import { startTracing, withSpan } from '#fabric/telemetry/tracing.ts';
import { startStandIn } from '../stand-in/stand-in.fixture.ts';

type Body = Record<string, unknown>;

const collector = await startStandIn(join(import.meta.dirname, 'main.ts'), { MERCER_DATA_DIR: '/tmp' });
const NOW = Date.now() * 1_000;

function send(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  return fetch(`${collector.url}/api/v2/spans`, { ...init, body: bytes, signal: AbortSignal.timeout(5_000) });
}

async function get(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${collector.url}${path}`, { signal: AbortSignal.timeout(5_000) });
  return { status: response.status, body: await response.json() };
}

const span = (traceId: string, id: string, more: object = {}): Body => ({
  traceId,
  id,
  name: `name-${id}`,
  timestamp: NOW,
  duration: 1_500,
  localEndpoint: { serviceName: 'Order' },
  ...more,
});

async function report(...spans: Body[]): Promise<void> {
  assert.equal((await send(JSON.stringify(spans))).status, 202);
}

async function idsOf(query: string): Promise<string[]> {
  const { status, body } = await get(`/api/v2/traces?limit=1000&${query}`);
  assert.equal(status, 200);
  return (body as Body[][]).map(([first]) => String(first?.['traceId'])).toSorted();
}

const padded = (traceId: string): string => traceId.padStart(32, '0');

test('spans are taken with 202 and read back whole', async () => {
  const whole = span('1a', '2b', {
    parentId: '3c',
    kind: 'SERVER',
    remoteEndpoint: { ipv4: '127.0.0.1', port: 5432 },
    annotations: [{ timestamp: NOW, value: 'ws' }],
    tags: { 'http.route': '/v1/orders' },
  });
  await report(whole);
  const { body } = await get('/api/v2/trace/1a');
  assert.deepEqual(body, [
    {
      ...whole,
      traceId: padded('1a'),
      id: '000000000000002b',
      parentId: '000000000000003c',
      localEndpoint: { serviceName: 'order' },
    },
  ]);
});

test('64-bit and 128-bit forms of a trace id are one trace', async () => {
  await report(span('48485a3953bb6124', '1'), span('000000000000000048485A3953BB6124', '2'));
  for (const id of ['48485a3953bb6124', padded('48485a3953bb6124'), '48485A3953BB6124'])
    assert.equal(((await get(`/api/v2/trace/${id}`)).body as Body[]).length, 2);
});

test('gzip is unpacked, other encodings are refused', async () => {
  assert.equal(
    (await send(gzipSync(JSON.stringify([span('abc1', '1')])), { 'content-encoding': 'gzip' })).status,
    202,
  );
  assert.equal((await get('/api/v2/trace/abc1')).status, 200);
  assert.equal((await send('[]', { 'content-encoding': 'br' })).status, 415);
  assert.equal((await send('[]', { 'content-encoding': 'gzip' })).status, 400);
});

test('batches above 5 MiB are refused, also when they are packed', async () => {
  const big = ' '.repeat(5 * 1024 * 1024 + 1);
  assert.equal((await send(big)).status, 413);
  assert.equal((await send(gzipSync(big), { 'content-encoding': 'gzip' })).status, 400);
});

test('what is no list of spans is refused, and none of it is kept', async () => {
  const bad: unknown[] = [
    {},
    [1],
    [span('', '1')],
    [span('0', '1')],
    [span('xyz', '1')],
    [span('1'.repeat(33), '1')],
    [span('1', '')],
    [span('beef', '1'), { traceId: 'beef' }],
  ];
  for (const body of bad) assert.equal((await send(JSON.stringify(body))).status, 400, JSON.stringify(body));
  assert.equal((await send('nonsense')).status, 400);
  assert.equal((await get('/api/v2/trace/beef')).status, 404);
});

test('members of the wrong type are dropped, the span stays', async () => {
  await report(
    span('dead', '1', {
      name: 5,
      timestamp: 'now',
      duration: -1,
      tags: { good: 'yes', bad: 1 },
      kind: 'X',
      annotations: [0],
    }),
  );
  const { body } = await get('/api/v2/trace/dead');
  assert.deepEqual(body, [
    {
      traceId: padded('dead'),
      id: padded('1').slice(16),
      localEndpoint: { serviceName: 'order' },
      annotations: [],
      tags: { good: 'yes' },
    },
  ]);
});

test('traces are found by service, span, duration, tags and time', async () => {
  const at = (service: string): object => ({ localEndpoint: { serviceName: service } });
  await report(
    span('f1', '1', { ...at('finder'), name: 'GET /a', duration: 1_000, tags: { error: 'OUT_OF_STOCK' } }),
    span('f2', '1', { ...at('finder'), name: 'GET /b', duration: 5_000, tags: { 'http.method': 'GET' } }),
    span('f2', '2', {
      ...at('other'),
      duration: 90_000,
      annotations: [{ timestamp: NOW, value: 'retried' }],
    }),
    span('f3', '1', { ...at('finder'), name: 'GET /a', timestamp: NOW - 3_600_000_000 }),
  );
  assert.deepEqual(await idsOf('serviceName=finder'), ['f1', 'f2', 'f3'].map(padded));
  assert.deepEqual(await idsOf('serviceName=FINDER&spanName=get%20/b'), [padded('f2')]);
  assert.deepEqual(await idsOf('serviceName=finder&minDuration=2000'), [padded('f2')]);
  assert.deepEqual(await idsOf('serviceName=finder&minDuration=900&maxDuration=1400'), [padded('f1')]);
  assert.deepEqual(await idsOf('serviceName=finder&annotationQuery=error'), [padded('f1')]);
  assert.deepEqual(await idsOf('serviceName=finder&annotationQuery=error%3DOUT_OF_STOCK'), [padded('f1')]);
  assert.deepEqual(await idsOf('serviceName=finder&annotationQuery=error%20and%20http.method%3DGET'), []);
  assert.deepEqual(await idsOf('serviceName=other&annotationQuery=retried'), [padded('f2')]);
  assert.deepEqual(await idsOf('serviceName=finder&lookback=60000'), ['f1', 'f2'].map(padded));
  const hourAgo = Math.ceil((NOW - 3_600_000_000) / 1_000);
  assert.deepEqual(await idsOf(`serviceName=finder&endTs=${hourAgo}&lookback=60000`), [padded('f3')]);
  assert.deepEqual(await idsOf('serviceName=constructor'), []);
  assert.equal((await get('/api/v2/traces?limit=x')).status, 400);
});

test('the newest traces come first, ten when no limit is given', async () => {
  for (let index = 1; index <= 12; index += 1)
    await report(span(`e${index}`, '1', { localEndpoint: { serviceName: 'many' } }));
  const { body } = await get('/api/v2/traces?serviceName=many');
  const ids = (body as Body[][]).map(([first]) => first?.['traceId']);
  assert.deepEqual(
    ids,
    Array.from({ length: 10 }, (_, index) => padded(`e${12 - index}`)),
  );
});

test('services, their spans and their calls are listed', async () => {
  const call = { parentId: '1', kind: 'SERVER', localEndpoint: { serviceName: 'callee' } };
  await report(
    span('ca11', '1', { localEndpoint: { serviceName: 'caller' } }),
    span('ca11', '2', { ...call, name: 'pay' }),
  );
  const services = (await get('/api/v2/services')).body as string[];
  assert.ok(services.includes('caller') && services.includes('callee'));
  assert.deepEqual(services, services.toSorted());
  assert.deepEqual((await get('/api/v2/spans?serviceName=callee')).body, ['pay']);
  const links = (await get(`/api/v2/dependencies?endTs=${Date.now()}&lookback=3600000`)).body as Body[];
  assert.deepEqual(
    links.filter(({ parent }) => parent === 'caller'),
    [{ parent: 'caller', child: 'callee', callCount: 1 }],
  );
});

test('the exporter of the fabric is understood', async () => {
  const tracing = startTracing({ service: 'exporting', zipkinUrl: collector.url, sampleRate: 1 });
  const traceId = await withSpan('outer', { kind: SpanKind.SERVER }, (outer) =>
    withSpan('inner', {}, () => outer.spanContext().traceId),
  );
  await tracing.shutdown();
  const { body } = await get(`/api/v2/trace/${traceId}`);
  const [inner, outer] = body as Body[];
  assert.deepEqual([inner?.['name'], outer?.['name']], ['inner', 'outer']);
  assert.equal(inner?.['parentId'], outer?.['id']);
  assert.equal((await fetch(`${collector.url}/zipkin/traces/${traceId}`)).status, 200);
});

test('pages escape whatever spans say, and admit no script', async () => {
  const evil = `<img src=x onerror="alert('1')">`;
  await report(
    span('e711', '1', {
      name: evil,
      localEndpoint: { serviceName: evil },
      tags: { [evil]: evil, error: evil },
    }),
  );
  const query = encodeURIComponent(`"${evil}`);
  for (const path of [
    '/',
    '/zipkin/',
    '/zipkin/traces/e711',
    `/?spanName=${query}&annotationQuery=${query}`,
  ]) {
    const response = await fetch(`${collector.url}${path}`);
    const text = await response.text();
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/u);
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'sha256-[^']+'/u,
    );
    assert.ok(!text.includes('<img') && !/<script|https?:\/\//u.test(text), path);
  }
  assert.match(await (await fetch(`${collector.url}/`)).text(), /&lt;img src=x/u);
});

test('the page of a trace shows its spans from the top down', async () => {
  await report(
    span('9a6e', '1', {
      name: 'POST /v1/orders',
      localEndpoint: { serviceName: 'gateway' },
      duration: 20_000,
    }),
    span('9a6e', '2', { name: 'ReserveStock', parentId: '1', timestamp: NOW + 5_000, duration: 10_000 }),
  );
  const text = await (await fetch(`${collector.url}/zipkin/traces/9a6e`)).text();
  assert.ok(text.indexOf('POST /v1/orders') < text.indexOf('ReserveStock'));
  assert.match(text, /<rect class="c\d" x="250" width="500" height="12" \/>/u);
  assert.match(text, /20\.0 ms · 2 spans · gateway, order/u);
  assert.equal((await fetch(`${collector.url}/zipkin/traces/404404`)).status, 404);
});

test('it says nothing but JSON lines and ends within two seconds', async () => {
  const began = performance.now();
  assert.equal(await collector.end(), 0);
  assert.ok(performance.now() - began < 2_000);
  assert.deepEqual(collector.errors, []);
  assert.deepEqual(
    collector.lines.map(({ event }) => event),
    ['listening', 'stopping'],
  );
});
