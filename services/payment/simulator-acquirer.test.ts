/** The driver says exactly as much as the wire told it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { after, test } from 'node:test';
import { context, trace } from '@opentelemetry/api';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { startTracing } from '#fabric/telemetry/tracing.ts';
import { startTestAcquirer } from './acquirer.fixture.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';

const tracing = startTracing({ service: 'payment', zipkinUrl: '', sampleRate: 1 });
after(() => tracing.shutdown());
const ATTEMPT = {
  key: 'charge-1',
  orderId: '1',
  amount: { currencyCode: 'USD', minorUnits: 9_007_199_254_740_993n },
  token: 'tok_visa',
};
const signal = AbortSignal.timeout(20_000);

test('a charge carries its key, its exact amount and the trace', async () => {
  const bank = await startTestAcquirer();
  const span = trace.getTracer('test').startSpan('purchase');
  await context.with(trace.setSpan(context.active(), span), () => acquirer(bank.url).charge(ATTEMPT, signal));
  const [request] = bank.requests;
  assert.equal(request?.headers['idempotency-key'], 'charge-1');
  assert.match(
    String(request?.headers['b3']),
    new RegExp(`^${span.spanContext().traceId}-[0-9a-f]{16}-1`, 'u'),
  );
  assert.equal(bank.ledger[0]?.amount, '9007199254740993');
});

test('a key that the acquirer has never seen is found to be none', async () => {
  const bank = await startTestAcquirer();
  assert.equal(await acquirer(bank.url).findCharge('charge-2', signal), undefined);
  await acquirer(bank.url).charge(ATTEMPT, signal);
  const found = await acquirer(bank.url).findCharge('charge-1', signal);
  assert.deepEqual([found?.status, found?.cardBrand], ['succeeded', 'visa']);
  const url = await answering((_, response) => response.writeHead(403).end());
  await assert.rejects(acquirer(url).findCharge('charge-1', signal), failure('ACQUIRER_UNAVAILABLE'));
});

test('what a third party says is taken only in the shape that was agreed on', async () => {
  const said = { id: 'ch_1', status: 'declined', declineReason: 'moon', cardBrand: '\0', cardLast4: '12345' };
  const url = await answering((_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said)),
  );
  assert.deepEqual(await acquirer(url).charge(ATTEMPT, signal), {
    id: 'ch_1',
    status: 'declined',
    declineReason: 'card_declined',
    cardBrand: '',
    cardLast4: '',
  });
});

const OPEN: Record<string, RequestListener> = {
  '503': (_, response) => response.writeHead(503).end(),
  '429': (_, response) => response.writeHead(429).end(),
  'a broken body': (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":'),
  'another shape': (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"ch_1","status":"perhaps"}'),
  'a page in between': (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>'),
  'a redirect': (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  'a cut connection': (request) => request.socket.destroy(),
  'no answer': () => undefined,
};

/** The answer to a void is not read: the charge is asked for. */
const VOIDED = new Set(['another shape', 'a page in between']);

for (const [name, listener] of Object.entries(OPEN)) {
  test(`${name} leaves the outcome open`, async () => {
    const url = await answering(listener);
    await assert.rejects(acquirer(url).charge(ATTEMPT, signal), failure('ACQUIRER_UNAVAILABLE'));
    const refund = { key: 'refund-1', chargeId: 'ch_1', amount: ATTEMPT.amount };
    await assert.rejects(acquirer(url).refund(refund, signal), failure('ACQUIRER_UNAVAILABLE'));
    if (!VOIDED.has(name))
      await assert.rejects(acquirer(url).void('ch_1', signal), failure('ACQUIRER_UNAVAILABLE'));
  });
}

test('a void says only that it was answered; what the acquirer had decided stands', async () => {
  const bank = await startTestAcquirer();
  const { id } = await acquirer(bank.url).charge(ATTEMPT, signal);
  await acquirer(bank.url).void(id, signal);
  assert.equal((await acquirer(bank.url).findCharge(ATTEMPT.key, signal))?.status, 'succeeded');
  const open = { ...ATTEMPT, key: 'charge-2', orderId: '2', token: 'tok_review' };
  const charge = await acquirer(bank.url).charge(open, signal);
  await acquirer(bank.url).void(charge.id, signal);
  await acquirer(bank.url).void(charge.id, signal);
  assert.equal((await acquirer(bank.url).findCharge(open.key, signal))?.status, 'voided');
  const url = await answering((_, response) => response.writeHead(422).end('{}'));
  await assert.rejects(acquirer(url).void('ch_1', signal), failure('ACQUIRER_REFUSED'));
});

test('a refund of a charge that the acquirer does not know is no refund', async () => {
  const url = await answering((_, response) => response.writeHead(404).end());
  const refund = { key: 'refund-1', chargeId: 'ch_1', amount: ATTEMPT.amount };
  await assert.rejects(acquirer(url).refund(refund, signal), failure('ACQUIRER_UNAVAILABLE'));
});

test('a refusal is final: an unknown token names itself, anything else is a defect', async () => {
  const bank = await startTestAcquirer();
  await assert.rejects(
    acquirer(bank.url).charge({ ...ATTEMPT, token: 'tok_nothing' }, signal),
    failure('PAYMENT_TOKEN_UNKNOWN'),
  );
  const url = await answering((_, response) => response.writeHead(409).end());
  await assert.rejects(acquirer(url).charge(ATTEMPT, signal), failure('ACQUIRER_REFUSED'));
});

function acquirer(url: string): ReturnType<typeof simulatorAcquirer> {
  return simulatorAcquirer({ url, timeout: () => 200 });
}

async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  after(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

function failure(reason: string): (error: unknown) => boolean {
  return (error) => error instanceof StatusError && error.reason === reason;
}
