/** The acquirer as payment services meet it: its own process, over HTTP, killed and started again. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder, startStandIn } from '../stand-in/stand-in.fixture.ts';
import type { Running } from '../stand-in/stand-in.fixture.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

type Body = Record<string, unknown>;
type Answer = { status: number; body: Body };

async function start(env: Record<string, string> = {}): Promise<Running & { dataDir: string }> {
  const dataDir = env['MERCER_DATA_DIR'] ?? (await scratchFolder());
  return { ...(await startStandIn(MAIN, { MERCER_DATA_DIR: dataDir, ...env })), dataDir };
}

async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000), ...init });
  return { status: response.status, body: (await response.json()) as Body };
}

type Posting = { key: string; body: object; headers?: Record<string, string>; signal?: AbortSignal };

function post(url: string, { key, body, headers = {}, ...init }: Posting): Promise<Answer> {
  const keyed = { 'idempotency-key': key, ...headers };
  return request(url, { ...init, method: 'POST', headers: keyed, body: JSON.stringify(body) });
}

/** Charges 19.99 dollars to tok_visa unless told otherwise. */
function charge({ url }: Running, key: string, fields: object = {}): Promise<Answer> {
  return post(`${url}/v1/charges`, { key, body: chargeBody(key, fields) });
}

function chargeBody(key: string, fields: object): object {
  return { amount: '1999', currency: 'USD', orderId: `order-${key}`, token: 'tok_visa', ...fields };
}

const find = ({ url }: Running, key: string): Promise<Answer> => request(`${url}/v1/charges?key=${key}`);

async function ledger({ url }: Running): Promise<Body[]> {
  const { body } = await request(`${url}/ledger`);
  assert.deepEqual(Object.keys(body), ['entries']);
  return body['entries'] as Body[];
}

const movements = async (acquirer: Running, orderId: string): Promise<string[]> =>
  (await ledger(acquirer))
    .filter((entry) => entry['orderId'] === orderId)
    .map(({ kind, amount }) => `${String(kind)} ${String(amount)}`);

const acquirer = await start();

test('an approved charge is answered with its card and stands in the ledger', async () => {
  const { status, body } = await charge(acquirer, 'visa');
  const { id, time, ...rest } = body;
  assert.equal(status, 200);
  assert.match(String(id), /^ch_/u);
  assert.deepEqual(rest, {
    status: 'succeeded',
    cardBrand: 'visa',
    cardLast4: '4242',
    amount: '1999',
    currency: 'USD',
    orderId: 'order-visa',
    amountRefunded: '0',
  });
  const [entry] = (await ledger(acquirer)).filter(({ key }) => key === 'visa');
  assert.deepEqual(entry, {
    kind: 'capture',
    amount: '1999',
    currency: 'USD',
    orderId: 'order-visa',
    key: 'visa',
    time,
  });
});

test('a decline is an answer, and moves nothing', async () => {
  const { status, body } = await charge(acquirer, 'poor', { token: 'tok_insufficient_funds' });
  assert.deepEqual([status, body['status'], body['declineReason']], [200, 'declined', 'insufficient_funds']);
  assert.deepEqual(await movements(acquirer, 'order-poor'), []);
});

test('an unknown token is refused and does not burn its key', async () => {
  const { status, body } = await charge(acquirer, 'retyped', { token: 'tok_nonsense' });
  assert.deepEqual([status, body['code']], [400, 'token_unknown']);
  assert.equal((await charge(acquirer, 'retyped')).body['status'], 'succeeded');
});

test('fifty requests with one key charge once and hear the same', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => charge(acquirer, 'storm')));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.deepEqual(await movements(acquirer, 'order-storm'), ['capture 1999']);
});

test('a key with another body is a conflict', async () => {
  await charge(acquirer, 'twice');
  const { status, body } = await charge(acquirer, 'twice', { amount: '2000' });
  assert.deepEqual([status, body['code']], [409, 'key_reused']);
  assert.deepEqual(await movements(acquirer, 'order-twice'), ['capture 1999']);
});

test('a charge is found by its key, and one that was never begun is 404', async () => {
  const { body } = await charge(acquirer, 'sought');
  assert.deepEqual(await find(acquirer, 'sought'), { status: 200, body });
  assert.equal((await find(acquirer, 'never')).status, 404);
});

test('tok_slow approves after three seconds, and is pending meanwhile', async () => {
  const began = performance.now();
  const slow = charge(acquirer, 'slow', { token: 'tok_slow' });
  await until(async () => (await find(acquirer, 'slow')).body['status'] === 'pending');
  assert.equal((await slow).body['status'], 'succeeded');
  assert.ok(performance.now() - began >= 2_990);
});

test('tok_timeout_after_capture takes the money and never answers; asking by key tells', async () => {
  const body = chargeBody('lost', { token: 'tok_timeout_after_capture' });
  const impatient = post(`${acquirer.url}/v1/charges`, {
    key: 'lost',
    body,
    signal: AbortSignal.timeout(1_000),
  });
  await assert.rejects(impatient, { name: 'TimeoutError' });
  assert.equal((await find(acquirer, 'lost')).body['status'], 'succeeded');
  const again = await charge(acquirer, 'lost', { token: 'tok_timeout_after_capture' });
  assert.equal(again.body['status'], 'succeeded');
  assert.deepEqual(await movements(acquirer, 'order-lost'), ['capture 1999']);
});

test('tok_unavailable_twice is out of order twice for each key, with nothing begun', async () => {
  for (const key of ['out-1', 'out-2']) {
    for (let outage = 0; outage < 2; outage += 1) {
      assert.equal((await charge(acquirer, key, { token: 'tok_unavailable_twice' })).status, 503);
      assert.equal((await find(acquirer, key)).status, 404);
    }
    assert.equal(
      (await charge(acquirer, key, { token: 'tok_unavailable_twice' })).body['status'],
      'succeeded',
    );
  }
});

test('tok_review stands until it is voided; what was captured is not voided', async () => {
  const { body } = await charge(acquirer, 'review', { token: 'tok_review' });
  assert.equal(body['status'], 'under_review');
  const voided = await post(`${acquirer.url}/v1/charges/${String(body['id'])}/void`, { key: '', body: {} });
  assert.deepEqual([voided.status, voided.body['status']], [200, 'voided']);
  assert.deepEqual(await movements(acquirer, 'order-review'), ['void 0']);
  const captured = await charge(acquirer, 'taken');
  const late = await post(`${acquirer.url}/v1/charges/${String(captured.body['id'])}/void`, {
    key: '',
    body: {},
  });
  assert.deepEqual([late.status, late.body['code']], [422, 'charge_not_voidable']);
  assert.deepEqual(await movements(acquirer, 'order-taken'), ['capture 1999']);
});

test('concurrent refunds give back no more than was captured', async () => {
  const { body } = await charge(acquirer, 'refunded', { amount: '100' });
  const refund = (key: string): Promise<Answer> =>
    post(`${acquirer.url}/v1/refunds`, { key, body: { chargeId: body['id'], amount: '30' } });
  const answers = await Promise.all(['r1', 'r2', 'r3', 'r4', 'r1'].map(refund));
  assert.equal(answers.filter(({ status }) => status === 200).length, 4);
  assert.equal(answers.filter(({ body }) => body['code'] === 'refund_exceeds_capture').length, 1);
  assert.deepEqual(answers[0], answers[4]);
  assert.deepEqual(await movements(acquirer, 'order-refunded'), [
    'capture 100',
    'refund 30',
    'refund 30',
    'refund 30',
  ]);
  assert.equal((await find(acquirer, 'refunded')).body['amountRefunded'], '90');
});

test('requests that make no sense are refused naming what is wrong', async () => {
  const cases: [Promise<Answer>, RegExp][] = [
    [charge(acquirer, 'x', { amount: '-5' }), /amount/u],
    [charge(acquirer, 'x', { amount: 5 }), /amount/u],
    [charge(acquirer, 'x', { currency: 'usd' }), /currency/u],
    [charge(acquirer, '', {}), /Idempotency-Key/u],
    [request(`${acquirer.url}/v1/charges`, { method: 'POST', body: '{' }), /JSON/u],
    [request(`${acquirer.url}/v1/charges`, { method: 'POST', body: '[]' }), /object/u],
  ];
  for (const [answered, message] of cases) {
    const { status, body } = await answered;
    assert.equal(status, 400);
    assert.match(String(body['message']), message);
  }
  assert.equal((await find(acquirer, 'x')).status, 404);
});

test('other methods are 405 with Allow, other paths 404, big bodies 413', async () => {
  const wrong = await fetch(`${acquirer.url}/v1/charges`, { method: 'DELETE' });
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD, POST']);
  assert.equal((await fetch(`${acquirer.url}/v2`)).status, 404);
  const big = await fetch(`${acquirer.url}/v1/charges`, { method: 'POST', body: 'x'.repeat(70_000) });
  assert.equal(big.status, 413);
});

test('everything answered is still so after SIGKILL, and what was pending is decided', async () => {
  const first = await start();
  const before = await charge(first, 'kept');
  const pending = await charge(first, 'soon', { token: 'tok_async' });
  assert.equal(pending.body['status'], 'pending');
  void charge(first, 'cut', { token: 'tok_slow' }).catch(() => undefined);
  await until(async () => (await find(first, 'cut')).status === 200);
  await first.end('SIGKILL');
  const second = await start({ MERCER_DATA_DIR: first.dataDir });
  assert.deepEqual(await charge(second, 'kept'), before);
  await until(async () => (await ledger(second)).length === 3);
  assert.equal((await find(second, 'soon')).body['status'], 'succeeded');
  assert.deepEqual(await movements(second, 'order-cut'), ['capture 1999']);
  assert.equal(await second.end('SIGTERM'), 0);
});

test('tok_async is announced by a signed event, again until it is accepted', async () => {
  const events: { headers: IncomingHttpHeaders; text: string }[] = [];
  const receiver = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      events.push({ headers: incoming.headers, text: Buffer.concat(chunks).toString() });
      response.writeHead(events.length === 1 ? 503 : 200).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const announcing = await start({
    MERCER_ACQUIRER_EVENT_URL: `http://127.0.0.1:${port}/events`,
    MERCER_ACQUIRER_EVENT_SECRET: 'shared',
  });
  const { body } = await charge(announcing, 'told', { token: 'tok_async' });
  await until(() => Promise.resolve(events.length === 2));
  const [first, second] = events;
  assert.equal(first?.text, second?.text);
  const { id, type, charge: told } = JSON.parse(second?.text ?? '') as Body;
  assert.deepEqual([id, type], [`evt_${String(body['id'])}`, 'charge.succeeded']);
  assert.deepEqual((told as Body)['key'], 'told');
  const [, time = '', hex] =
    /^t=(\d+),v1=([0-9a-f]{64})$/u.exec(String(second?.headers['mercer-signature'])) ?? [];
  assert.ok(Math.abs(Number(time) - Date.now() / 1_000) < 10);
  assert.equal(hex, createHmac('sha256', 'shared').update(`${time}.${second?.text}`).digest('hex'));
  receiver.close();
});

test('a request is one span of the trace that its b3 header continues', async () => {
  const spans: Body[] = [];
  const collector = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      spans.push(...(JSON.parse(Buffer.concat(chunks).toString()) as Body[]));
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const address = collector.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const traced = await start({ MERCER_ZIPKIN_URL: `http://127.0.0.1:${port}` });
  const b3 = '463ac35c9f6413ad48485a3953bb6124-0020000000000001-1';
  await post(`${traced.url}/v1/charges`, { key: 'traced', body: chargeBody('traced', {}), headers: { b3 } });
  await until(() => Promise.resolve(spans.length > 0));
  const [{ traceId, parentId, name, kind, localEndpoint } = {}] = spans;
  assert.deepEqual(
    { traceId, parentId, name, kind },
    {
      traceId: '463ac35c9f6413ad48485a3953bb6124',
      parentId: '0020000000000001',
      name: 'POST /v1/charges',
      kind: 'SERVER',
    },
  );
  assert.equal((localEndpoint as Body)['serviceName'], 'acquirer');
  collector.close();
});

test('it says nothing but JSON lines, no payment token among them, and ends within two seconds', async () => {
  const open = charge(acquirer, 'hanging', { token: 'tok_timeout_after_capture' }).catch(() => 'cut');
  await until(async () => (await find(acquirer, 'hanging')).status === 200);
  const began = performance.now();
  assert.equal(await acquirer.end('SIGINT'), 0);
  assert.ok(performance.now() - began < 2_000);
  assert.equal(await open, 'cut');
  assert.deepEqual(acquirer.errors, []);
  assert.deepEqual(
    acquirer.lines.map(({ event }) => event),
    ['listening', 'stopping'],
  );
});

/** Asks every 25 ms, for ten seconds at most. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let asked = 0; asked < 400; asked += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it never came true');
}
