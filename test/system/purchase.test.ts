/** A whole fabric sells: purchases, refusals, roles, traces and replicas as a client sees them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFabric } from './fabric.ts';
import type { Fabric } from './fabric.ts';
import { available, errorOf, order, shopAt, stockedProduct } from './shop.ts';
import type { Send } from './shop.ts';

let fabric: Fabric;
let send: Send;
let admin: string;
let customer: string;

before(async () => {
  fabric = await startFabric('--seed', '12', '--replicas', 'product=2');
  send = shopAt(fabric.ready.gateway);
  ({ admin, customer } = fabric.ready.tokens);
});
after(() => fabric[Symbol.asyncDispose]());

test('a customer buys: the order is confirmed and durable, paid at the server price, and the stock is gone', async () => {
  const productId = await stockedProduct(send, admin, 10);
  const placed = await order(send, productId, { token: customer, quantity: 3 });
  assert.equal(placed.status, 201, JSON.stringify(placed.body));
  assert.equal(placed.headers.get('location'), `/v1/orders/${String(placed.body['orderId'])}`);
  assert.equal(placed.body['state'], 'STATE_CONFIRMED');
  assert.deepEqual(placed.body['total'], { currencyCode: 'USD', minorUnits: '5997' });
  assert.equal(await available(send, productId), 7);
  const read = await send('GET', `/v1/orders/${String(placed.body['orderId'])}`, { token: customer });
  assert.deepEqual(read.body, placed.body);
  const payment = await send('GET', `/v1/payments/${String(placed.body['paymentId'])}`, { token: customer });
  assert.equal(payment.body['state'], 'STATE_SUCCEEDED');
  assert.deepEqual(payment.body['amount'], { currencyCode: 'USD', minorUnits: '5997' });
});

test('the acquirer captured each confirmed order exactly once', async () => {
  const productId = await stockedProduct(send, admin, 2);
  const placed = await order(send, productId, { token: customer });
  const ledger = (await (await fetch(`${fabric.ready.acquirer}/ledger`)).json()) as {
    entries: { orderId: string; kind: string; amount: string }[];
  };
  const captures = ledger.entries.filter((entry) => entry.orderId === placed.body['orderId']);
  assert.deepEqual(
    captures.map(({ kind, amount }) => `${kind} ${amount}`),
    ['capture 1999'],
  );
});

test('a declined card is 402 with its reason, and the stock is back at once', async () => {
  const productId = await stockedProduct(send, admin, 5);
  for (const [paymentToken, declined] of [
    ['tok_declined', 'card_declined'],
    ['tok_insufficient_funds', 'insufficient_funds'],
    ['tok_expired_card', 'expired_card'],
  ]) {
    const answer = await order(send, productId, { token: customer, paymentToken: paymentToken ?? '' });
    assert.equal(answer.status, 402, JSON.stringify(answer.body));
    const { reason, metadata } = errorOf(answer);
    assert.equal(reason, 'PAYMENT_DECLINED');
    assert.equal(metadata['decline_reason'], declined);
    const failed = await send('GET', `/v1/orders/${metadata['order_id']}`, { token: customer });
    assert.equal(failed.body['state'], 'STATE_FAILED');
    assert.equal(failed.body['failureReason'], 'PAYMENT_DECLINED');
  }
  assert.equal(await available(send, productId), 5);
});

test('more than there is on the shelf is 409 and holds nothing', async () => {
  const productId = await stockedProduct(send, admin, 2);
  const answer = await order(send, productId, { token: customer, quantity: 3 });
  assert.equal(answer.status, 409, JSON.stringify(answer.body));
  assert.equal(errorOf(answer).reason, 'OUT_OF_STOCK');
  assert.equal(await available(send, productId), 2);
});

test('the last unit is sold once, whoever asks at the same time', async () => {
  const productId = await stockedProduct(send, admin, 1);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => order(send, productId, { token: customer })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, ...Array.from({ length: 19 }, () => 409)],
  );
  assert.equal(await available(send, productId), 0);
});

test('a key repeated is the same order, with another body 422', async () => {
  const productId = await stockedProduct(send, admin, 10);
  const key = randomUUID();
  const first = await order(send, productId, { token: customer, key });
  const again = await Promise.all([1, 2, 3].map(() => order(send, productId, { token: customer, key })));
  for (const answer of again) assert.deepEqual(answer.body, first.body);
  const other = await order(send, productId, { token: customer, key, quantity: 2 });
  assert.equal(other.status, 422);
  assert.equal(errorOf(other).reason, 'IDEMPOTENCY_KEY_REUSED');
  assert.equal(await available(send, productId), 9);
});

test('one key in twenty hands at once is one order', async () => {
  const productId = await stockedProduct(send, admin, 10);
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => order(send, productId, { token: customer, key })),
  );
  const ids = new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body['orderId']));
  assert.equal(ids.size, 1);
  for (const { status } of answers) assert.ok(status === 201 || status === 409, `status ${status}`);
  assert.equal(await available(send, productId), 9);
});

test('a confirmed order that is cancelled gives money and goods back', async () => {
  const productId = await stockedProduct(send, admin, 4);
  const placed = await order(send, productId, { token: customer, quantity: 2 });
  const cancelled = await send('POST', `/v1/orders/${String(placed.body['orderId'])}:cancel`, {
    token: customer,
    body: {},
  });
  assert.equal(cancelled.status, 200, JSON.stringify(cancelled.body));
  assert.equal(cancelled.body['state'], 'STATE_CANCELLED');
  assert.equal(await available(send, productId), 4);
  const payment = await send('GET', `/v1/payments/${String(placed.body['paymentId'])}`, { token: customer });
  assert.equal(payment.body['state'], 'STATE_REFUNDED');
});

test('nobody reads the orders and payments of another', async () => {
  const productId = await stockedProduct(send, admin, 3);
  const placed = await order(send, productId, { token: customer });
  const stranger =
    (await fabric.mercer('token', '--role', 'CUSTOMER', '--sub', 'mallory')).stdout
      .trim()
      .split('\n')
      .at(-1) ?? '';
  for (const path of [
    `/v1/orders/${String(placed.body['orderId'])}`,
    `/v1/payments/${String(placed.body['paymentId'])}`,
  ]) {
    assert.equal((await send('GET', path, { token: stranger })).status, 404);
    assert.equal((await send('GET', path, { token: admin })).status, 200);
  }
  const listed = await send('GET', '/v1/orders', { token: stranger });
  assert.deepEqual(listed.body['orders'], []);
});

test('roles hold: a customer adds no products, a stranger buys nothing, a forged token is nobody', async () => {
  const body = { displayName: 'x', price: { currencyCode: 'USD', minorUnits: '1' } };
  const refused = await send('POST', '/v1/products', { token: customer, body });
  assert.equal(refused.status, 403);
  assert.equal(errorOf(refused).status, 'PERMISSION_DENIED');
  const stranger = await send('POST', '/v1/orders', { body: { lines: [], paymentToken: 'x' } });
  assert.equal(stranger.status, 401);
  assert.match(stranger.headers.get('www-authenticate') ?? '', /^Bearer/u);
  assert.equal((await send('GET', '/v1/products', { token: `${customer}x` })).status, 401);
});

test('bad input is 400 naming the field, and nothing happens', async () => {
  const cases: [unknown, string][] = [
    [{ lines: [{ productId: 'x', quantity: -5 }], paymentToken: 'tok_visa' }, 'quantity'],
    [{ lines: [], paymentToken: 'tok_visa' }, 'lines'],
    [{ lines: [{ productId: 'x', quantity: 1 }], paymentToken: 'tok_visa', total: 1 }, 'total'],
    [{ lines: [{ productId: 'x', quantity: 'many' }], paymentToken: 'tok_visa' }, 'quantity'],
  ];
  for (const [body, field] of cases) {
    const answer = await send('POST', '/v1/orders', { token: customer, body });
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.match(JSON.stringify(answer.body), new RegExp(field, 'u'));
  }
  const unknown = await order(send, 'no-such-product', { token: customer });
  assert.equal(unknown.status, 404);
  assert.equal(errorOf(unknown).reason, 'PRODUCT_NOT_FOUND');
});

test('one trace spans gateway, order, product, payment and the acquirer', async () => {
  const productId = await stockedProduct(send, admin, 1);
  const placed = await order(send, productId, { token: customer });
  const traceId = placed.headers.get('x-trace-id') ?? '';
  assert.match(traceId, /^[0-9a-f]{32}$/u);
  const wanted = ['acquirer', 'gateway', 'order', 'payment', 'product'];
  let services: string[] = [];
  for (let attempt = 0; attempt < 50 && services.length < wanted.length; attempt += 1) {
    await sleep(200);
    const response = await fetch(`${fabric.ready.zipkin}/api/v2/trace/${traceId}`);
    const spans = response.ok
      ? ((await response.json()) as { localEndpoint: { serviceName: string } }[])
      : [];
    services = [...new Set(spans.map((span) => span.localEndpoint.serviceName))].toSorted();
  }
  assert.deepEqual(services, wanted);
});

test('clients that ask for what is not there do not take a service away from the others', async () => {
  const productId = await stockedProduct(send, admin, 1);
  for (let asked = 0; asked < 30; asked += 1)
    assert.equal((await send('GET', `/v1/products/nothing-${asked}`)).status, 404);
  for (let second = 0; second < 12; second += 1) {
    await sleep(1_000);
    assert.equal((await send('GET', `/v1/products/${productId}`)).status, 200, `after ${second} s`);
  }
});

test('status lists every process with its health', async () => {
  const { stdout, code } = await fabric.mercer('status', '--json');
  assert.equal(code, 0);
  const { processes } = JSON.parse(stdout) as {
    processes: { name: string; service: string; pid: number; health: string }[];
  };
  const services = new Set(processes.map(({ service }) => service));
  for (const service of ['postgres', 'registry', 'config', 'product', 'order', 'payment', 'gateway'])
    assert.ok(services.has(service), service);
  assert.equal(processes.filter(({ service }) => service === 'product').length, 2);
  assert.deepEqual(
    processes.filter(({ health }) => health !== 'SERVING'),
    [],
  );
});

test('a replica that dies is not missed, and comes back', async () => {
  const productId = await stockedProduct(send, admin, 50);
  const victim = await processOf('product-2');
  process.kill(victim.pid, 'SIGKILL');
  const outcomes: number[] = [];
  for (let attempt = 0; attempt < 10; attempt += 1) {
    outcomes.push((await order(send, productId, { token: customer, key: `kill-${attempt}` })).status);
  }
  for (const [attempt, status] of outcomes.entries()) {
    if (status === 201) continue;
    const again = await order(send, productId, { token: customer, key: `kill-${attempt}` });
    assert.equal(again.status, 201, `order ${attempt} was ${status}, then ${again.status}`);
  }
  assert.equal(await available(send, productId), 40);
  for (let attempt = 0; attempt < 100 && (await processOf('product-2')).pid === victim.pid; attempt += 1)
    await sleep(200);
  assert.notEqual((await processOf('product-2')).pid, victim.pid);
});

async function processOf(name: string): Promise<{ name: string; pid: number }> {
  const { stdout } = await fabric.mercer('status', '--json');
  const { processes } = JSON.parse(stdout) as { processes: { name: string; pid: number }[] };
  const found = processes.find((each) => each.name === name);
  assert.ok(found, `no ${name} in ${stdout}`);
  return found;
}
