/** PaymentService as its callers see it: over gRPC, with the contract's rules in force. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { connect } from '#fabric/rpc/client.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { StatusError, toStatusError } from '#fabric/rpc/status-error.ts';
import { Payment_State, Refund_State } from '#gen/mercer/payment/v1/payment.ts';
import type { Payment } from '#gen/mercer/payment/v1/payment.ts';
import {
  HandleAcquirerEventRequest,
  ListPaymentsRequest,
  PaymentServiceService,
} from '#gen/mercer/payment/v1/payment_service.ts';
import { startTestAcquirer } from './acquirer.fixture.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { recoveryQueue } from './recovery-queue.ts';
import { as, serve } from '#fabric/rpc/served.fixture.ts';
import { paymentService } from './service.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';
import { paymentStore } from './store.ts';

const bank = await startTestAcquirer();
const database = await (await createTestDatabase({ entities, migrations })).open();
const EVENT_SECRET = 'a secret of the tests';
let woken = 0;
const service = paymentService({
  store: paymentStore(database),
  queue: recoveryQueue(database),
  eventSecret: EVENT_SECRET,
  clock: () => new Date(),
  wake: () => (woken += 1),
  acquirer: simulatorAcquirer({ url: bank.url, timeout: () => 300 }),
  pageTokens: pageTokens('a secret of the tests'),
  log: pino({ level: 'silent' }),
});
const channel = await serve(implement(PaymentServiceService, service), {
  name: 'payment',
  caller: 'svc/order',
});
const payments = connect(PaymentServiceService, channel);

test('a charge answers the payment of the token’s subject', async () => {
  const orderId = randomUUID();
  const payment = await charge('carl', { orderId });
  assert.deepEqual(payment, {
    paymentId: payment.paymentId,
    orderId,
    customerId: 'carl',
    amount: usd(4_200n),
    state: Payment_State.STATE_SUCCEEDED,
    transactionId: payment.transactionId,
    cardBrand: 'visa',
    cardLast4: '4242',
    failureReason: '',
    amountRefunded: usd(0n),
    refunds: [],
    createTime: payment.createTime,
    updateTime: payment.updateTime,
  });
  assert.match(payment.paymentId, /^[0-9a-f]{8}-[0-9a-f]{4}-7/u);
});

test('a decline is an answer, an unknown token is not', async () => {
  const declined = await charge('carl', { paymentToken: 'tok_declined' });
  assert.equal(declined.state, Payment_State.STATE_DECLINED);
  assert.equal(declined.failureReason, 'card_declined');
  await refuses(charge('carl', { paymentToken: 'tok_nothing' }), {
    code: status.INVALID_ARGUMENT,
    reason: 'PAYMENT_TOKEN_UNKNOWN',
  });
});

test('an order id means the same order in either case of its letters', async () => {
  const { orderId, paymentId } = await charge('carl', {});
  const asked = bank.requests.length;
  assert.equal((await charge('carl', { orderId: orderId.toUpperCase() })).paymentId, paymentId);
  const { payment } = await payments.resolveCharge({ orderId: orderId.toUpperCase() });
  assert.equal(payment?.paymentId, paymentId);
  assert.equal(bank.requests.length, asked);
});

test('a charge of nothing, of no order, or without a user is refused before the acquirer hears of it', async () => {
  const asked = bank.requests.length;
  await refuses(charge('carl', { amount: usd(0n) }), { code: status.INVALID_ARGUMENT });
  await refuses(charge('carl', { orderId: 'order' }), { code: status.INVALID_ARGUMENT });
  const request = { orderId: randomUUID(), amount: usd(1n), paymentToken: 'tok_visa' };
  await refuses(payments.chargeOrder(request), { code: status.UNAUTHENTICATED });
  assert.equal(bank.requests.length, asked);
});

test('a repetition with another amount is refused', async () => {
  const { orderId } = await charge('carl', {});
  await refuses(charge('carl', { orderId, amount: usd(1n) }), {
    code: status.FAILED_PRECONDITION,
    reason: 'CHARGE_MISMATCH',
  });
});

test('a customer reads own payments; another’s does not exist; an ADMIN reads all', async () => {
  const customer = `carl-${randomUUID()}`;
  const { paymentId } = await charge(customer, {});
  const get = (token: string) => as(token, () => payments.getPayment({ paymentId }));
  assert.equal((await get(`CUSTOMER/${customer}`)).payment?.paymentId, paymentId);
  assert.equal((await get('ADMIN/ann')).payment?.paymentId, paymentId);
  await refuses(get('CUSTOMER/eve'), { code: status.NOT_FOUND, reason: 'PAYMENT_NOT_FOUND' });
  const nothing = as('ADMIN/ann', () => payments.getPayment({ paymentId: 'nothing' }));
  await refuses(nothing, { code: status.NOT_FOUND, reason: 'PAYMENT_NOT_FOUND' });
});

test('a list holds own payments, newest first, page by page', async () => {
  const customer = `carl-${randomUUID()}`;
  const charged: string[] = [];
  for (let count = 0; count < 5; count += 1) charged.unshift((await charge(customer, {})).paymentId);
  await charge('eve', {});
  const paged: string[] = [];
  let pageToken = '';
  do {
    const page = await list(`CUSTOMER/${customer}`, { pageSize: 2, pageToken });
    paged.push(...page.payments.map((each) => each.paymentId));
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && paged.length < 10);
  assert.deepEqual(paged, charged);
});

test('a list narrows to an order, and keeps another’s to itself', async () => {
  const { orderId, paymentId } = await charge('carl', {});
  const ids = async (token: string, filter: string) =>
    (await list(token, { orderId: filter })).payments.map((each) => each.paymentId);
  assert.deepEqual(await ids('CUSTOMER/carl', orderId), [paymentId]);
  assert.deepEqual(await ids('ADMIN/ann', orderId), [paymentId]);
  assert.deepEqual(await ids('CUSTOMER/eve', orderId), []);
  assert.deepEqual(await ids('CUSTOMER/carl', 'no order'), []);
});

test('a page token belongs to its customer and its query', async () => {
  const customer = `carl-${randomUUID()}`;
  await charge(customer, {});
  await charge(customer, {});
  const { nextPageToken: pageToken } = await list(`CUSTOMER/${customer}`, { pageSize: 1 });
  assert.notEqual(pageToken, '');
  await refuses(list('CUSTOMER/eve', { pageToken }), { reason: 'PAGE_TOKEN_INVALID' });
  await refuses(list(`CUSTOMER/${customer}`, { pageToken, orderId: randomUUID() }), {
    reason: 'PAGE_TOKEN_INVALID',
  });
});

test('a refund answers the payment with its refunds, without a user', async () => {
  const { orderId } = await charge('carl', {});
  const request = { orderId, amount: usd(200n), reason: 'scratched', requestId: 'first' };
  const { payment } = await payments.refundPayment(request);
  assert.equal(payment?.state, Payment_State.STATE_PARTIALLY_REFUNDED);
  assert.deepEqual(payment.amountRefunded, usd(200n));
  assert.deepEqual(
    payment.refunds.map(({ amount, reason, state }) => ({ amount, reason, state })),
    [{ amount: usd(200n), reason: 'scratched', state: Refund_State.STATE_SUCCEEDED }],
  );
  await refuses(payments.refundPayment({ ...request, requestId: 'second', amount: usd(4_001n) }), {
    code: status.FAILED_PRECONDITION,
    reason: 'REFUND_EXCEEDS_CAPTURE',
    metadata: { order_id: orderId, left: '4000' },
  });
});

test('resolving reports a charge, and bars an order that has none', async () => {
  const { orderId, paymentId } = await charge('carl', {});
  assert.equal((await payments.resolveCharge({ orderId })).payment?.paymentId, paymentId);
  const never = randomUUID();
  await refuses(payments.resolveCharge({ orderId: never }), {
    code: status.NOT_FOUND,
    reason: 'CHARGE_NOT_FOUND',
  });
  await refuses(charge('carl', { orderId: never }), { reason: 'CHARGE_BARRED' });
  assert.deepEqual((await list('ADMIN/ann', { orderId: never })).payments, []);
});

test('an event is taken once, for its signature alone, and has its payment looked at', async () => {
  const { orderId } = await charge('carl', { paymentToken: 'tok_async' });
  const event = { id: `evt_${orderId}`, type: 'charge.succeeded', charge: { key: `charge-${orderId}` } };
  const before = woken;
  for (const name of ['mercer-signature', 'stripe-signature']) await tell(event, { [name]: sign(event) });
  assert.equal(woken, before + 1);
});

test('an event without a signature, with another one or with two is UNAUTHENTICATED, and forgotten', async () => {
  const { orderId } = await charge('carl', { paymentToken: 'tok_async' });
  const event = { id: `evt_${orderId}`, type: 'charge.succeeded', charge: { key: `charge-${orderId}` } };
  const before = woken;
  const refused = { code: status.UNAUTHENTICATED, reason: 'SIGNATURE_INVALID' };
  await refuses(tell(event, {}), refused);
  await refuses(tell(event, { 'mercer-signature': sign({ ...event, id: 'other' }) }), refused);
  const two = { 'mercer-signature': sign(event), 'stripe-signature': sign(event) };
  await refuses(tell(event, two), refused);
  await refuses(payments.handleAcquirerEvent({ event: undefined }), refused);
  assert.equal(woken, before);
  await tell(event, { 'mercer-signature': sign(event) });
  assert.equal(woken, before + 1);
});

test('a signed body that is no event is INVALID_ARGUMENT; an event of no known type is taken', async () => {
  const events = ['', 'x', '"x"', 'null', '{}', '{"id":"e"}', '{"id":5,"type":"t"}', '{"id":"","type":"t"}'];
  for (const body of [...events, '{"id":"e","type":"charge.succeeded"}', '{"id":"e\0","type":"t"}']) {
    await refuses(tell(body, { 'mercer-signature': sign(body) }), { code: status.INVALID_ARGUMENT });
  }
  const before = woken;
  const unknown = { id: 'evt_payout', type: 'payout.paid', payout: {} };
  await tell(unknown, { 'mercer-signature': sign(unknown) });
  const foreign = { id: 'evt_foreign', type: 'charge.succeeded', charge: { key: 'of another shop' } };
  await tell(foreign, { 'mercer-signature': sign(foreign) });
  assert.equal(woken, before);
});

/** Sends an event as the gateway does. */
function tell(event: object | string, headers: Record<string, string>): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = PaymentServiceService.handleAcquirerEvent;
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const data = Buffer.from(bodyOf(event));
  const request = HandleAcquirerEventRequest.fromPartial({
    event: { contentType: 'application/json', data },
  });
  return new Promise((resolve, reject) => {
    channel.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      (error, answer) => (error === null ? resolve(answer) : reject(toStatusError(error))),
    );
  });
}

function sign(event: object | string): string {
  const seconds = Math.floor(Date.now() / 1_000);
  const hmac = createHmac('sha256', EVENT_SECRET).update(`${seconds}.${bodyOf(event)}`);
  return `t=${seconds},v1=${hmac.digest('hex')}`;
}

function bodyOf(event: object | string): string {
  return typeof event === 'string' ? event : JSON.stringify(event);
}

type Charge = { orderId: string; amount: ReturnType<typeof usd>; paymentToken: string };

async function charge(subject: string, changes: Partial<Charge>): Promise<Payment> {
  const request = { orderId: randomUUID(), amount: usd(4_200n), paymentToken: 'tok_visa', ...changes };
  const { payment } = await as(`CUSTOMER/${subject}`, () => payments.chargeOrder(request));
  assert.ok(payment !== undefined);
  return payment;
}

function list(token: string, request: Partial<ListPaymentsRequest>) {
  return as(token, () => payments.listPayments(ListPaymentsRequest.create(request)));
}

function usd(minorUnits: bigint): { currencyCode: string; minorUnits: bigint } {
  return { currencyCode: 'USD', minorUnits };
}

type Expected = { code?: status; reason?: string; metadata?: Record<string, string> };

async function refuses(call: Promise<unknown>, expected: Expected): Promise<void> {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(failure instanceof StatusError, String(failure));
  const { code, reason, metadata } = failure;
  assert.deepEqual({ code, reason, metadata, ...expected }, { code, reason, metadata });
}
