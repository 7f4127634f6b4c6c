/** OrderService as its callers see it: over gRPC, with the contract's rules in force. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import { connect } from '#fabric/rpc/client.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { Order_State } from '#gen/mercer/order/v1/order.ts';
import type { Order } from '#gen/mercer/order/v1/order.ts';
import {
  CreateOrderRequest,
  ListOrdersRequest,
  OrderServiceService,
  RefundOrderRequest,
} from '#gen/mercer/order/v1/order_service.ts';
import type { ListOrdersResponse } from '#gen/mercer/order/v1/order_service.ts';
import { Product, Product_State } from '#gen/mercer/product/v1/product.ts';
import { counter } from './checkout.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { usd, workIn } from './purchase.fixture.ts';
import { as, serve } from '#fabric/rpc/served.fixture.ts';
import { orderService } from './service.ts';
import { Shop } from './shop.fixture.ts';
import { orderStore } from './store.ts';

const shop = new Shop();
const database = await (await createTestDatabase({ entities, migrations })).open();
const work = workIn(shop, orderStore(database));
const service = orderService({
  database,
  work,
  counter: counter(work),
  products: { batchGetProducts: ({ productIds }) => Promise.resolve({ products: productIds.map(product) }) },
  pageTokens: pageTokens('a secret of the tests'),
});
const orders = connect(
  OrderServiceService,
  await serve(implement(OrderServiceService, service), { name: 'order', caller: 'svc/gateway' }),
);

test('an order is answered CONFIRMED, priced line by line, and belongs to the token’s subject', async () => {
  const order = await buy('carl');
  assert.deepEqual(order, {
    orderId: order.orderId,
    customerId: 'carl',
    lines: [
      { productId: 'watch', displayName: 'Watch', quantity: 2, unitPrice: usd(250n), lineTotal: usd(500n) },
    ],
    total: usd(500n),
    amountRefunded: usd(0n),
    state: Order_State.STATE_CONFIRMED,
    failureReason: '',
    paymentId: `payment-of-${order.orderId}`,
    createTime: order.createTime,
    updateTime: order.updateTime,
    history: [
      { state: Order_State.STATE_PENDING, time: order.createTime, note: '' },
      { state: Order_State.STATE_CONFIRMED, time: order.updateTime, note: '' },
    ],
  });
  assert.match(order.orderId, /^[0-9a-f]{8}-[0-9a-f]{4}-7/u);
  assert.deepEqual(await read('carl', order.orderId), order);
});

test('a declined order is refused with its id and the reason of the decline, and stays readable', async () => {
  const refusal = await refuses(buy('carl', { paymentToken: 'tok_declined' }));
  assert.equal(refusal.code, status.FAILED_PRECONDITION);
  assert.equal(refusal.reason, 'PAYMENT_DECLINED');
  assert.equal(refusal.metadata['decline_reason'], 'card_declined');
  const order = await read('carl', refusal.metadata['order_id'] ?? '');
  assert.equal(order.state, Order_State.STATE_FAILED);
  assert.equal(order.failureReason, 'PAYMENT_DECLINED');
});

test('the same key gives the same answer, refusals and cancelled orders included', async () => {
  const requestId = randomUUID();
  const order = await buy('carl', { requestId });
  await as('CUSTOMER/carl', () => orders.cancelOrder({ orderId: order.orderId, reason: '', requestId: '' }));
  assert.deepEqual(await buy('carl', { requestId }), order);
  const declined = { requestId: randomUUID(), paymentToken: 'tok_declined' };
  const first = await refuses(buy('carl', declined));
  const again = await refuses(buy('carl', declined));
  for (const field of ['code', 'reason', 'message', 'metadata'] as const)
    assert.deepEqual(again[field], first[field]);
});

test('a key belongs to one body and one customer', async () => {
  const requestId = randomUUID();
  const order = await buy('carl', { requestId });
  const refusal = await refuses(buy('carl', { requestId, paymentToken: 'tok_mastercard' }));
  assert.deepEqual([refusal.code, refusal.reason], [status.FAILED_PRECONDITION, 'IDEMPOTENCY_KEY_REUSED']);
  assert.notEqual((await buy('dora', { requestId })).orderId, order.orderId);
});

test('an order is shown to its owner and to an ADMIN; to others, and to tokens of nobody, it is not there', async () => {
  const { orderId } = await buy('carl');
  assert.equal((await read('root', orderId, 'ADMIN')).orderId, orderId);
  for (const id of [orderId, randomUUID(), 'no-uuid']) {
    const refusal = await refuses(read('dora', id));
    assert.deepEqual([refusal.code, refusal.reason], [status.NOT_FOUND, 'ORDER_NOT_FOUND']);
  }
  const cancelled = as('CUSTOMER/dora', () => orders.cancelOrder({ orderId, reason: '', requestId: '' }));
  assert.equal((await refuses(cancelled)).code, status.NOT_FOUND);
  assert.equal((await refuses(orders.getOrder({ orderId }))).code, status.UNAUTHENTICATED);
});

test('a list holds the caller’s own orders, newest first, page by page', async () => {
  const customer = `customer-${randomUUID()}`;
  const ids: string[] = [];
  for (let index = 0; index < 3; index += 1) ids.unshift((await buy(customer)).orderId);
  const first = await list(`CUSTOMER/${customer}`, { pageSize: 2 });
  const second = await list(`CUSTOMER/${customer}`, { pageSize: 2, pageToken: first.nextPageToken });
  assert.deepEqual(
    [...first.orders, ...second.orders].map(({ orderId }) => orderId),
    ids,
  );
  assert.equal(second.nextPageToken, '');
  const failed = { state: Order_State.STATE_FAILED, pageToken: first.nextPageToken };
  const refusal = await refuses(list(`CUSTOMER/${customer}`, failed));
  assert.deepEqual([refusal.code, refusal.reason], [status.INVALID_ARGUMENT, 'PAGE_TOKEN_INVALID']);
  assert.deepEqual((await list(`CUSTOMER/${customer}`, { state: Order_State.STATE_FAILED })).orders, []);
});

test('only an ADMIN may list another customer’s orders', async () => {
  const { orderId } = await buy('erna');
  const seen = await list('ADMIN/root', { customerId: 'erna' });
  assert.deepEqual(
    seen.orders.map((order) => order.orderId),
    [orderId],
  );
  assert.ok((await list('ADMIN/root', {})).orders.length > 1);
  const refusal = await refuses(list('CUSTOMER/carl', { customerId: 'erna' }));
  assert.deepEqual([refusal.code, refusal.reason], [status.PERMISSION_DENIED, 'ACCESS_DENIED']);
});

test('the same key refunds once, and only for an ADMIN', async () => {
  const { orderId } = await buy('carl');
  const request = RefundOrderRequest.fromPartial({ orderId, amount: usd(100n), requestId: randomUUID() });
  assert.equal(
    (await refuses(as('CUSTOMER/carl', () => orders.refundOrder(request)))).code,
    status.PERMISSION_DENIED,
  );
  const first = await as('ADMIN/root', () => orders.refundOrder(request));
  assert.deepEqual(first.order?.amountRefunded, usd(100n));
  assert.deepEqual(await as('ADMIN/root', () => orders.refundOrder(request)), first);
  assert.equal(shop.kept(orderId), 400n);
});

test('a watch tells the order at once, then its change, and ends with the purchase', async () => {
  const pending = await buy('carl', { paymentToken: 'tok_async' });
  const seen: (Order_State | undefined)[] = [];
  const watching = as('CUSTOMER/carl', async () => {
    for await (const { order } of orders.watchOrder({ orderId: pending.orderId })) {
      seen.push(order?.state);
      if (seen.length === 1)
        shop.accounts.set(pending.orderId, { state: 'declined', amount: 500n, returned: 0n });
    }
  });
  const cancelling = as('CUSTOMER/carl', () =>
    orders.cancelOrder({ orderId: pending.orderId, reason: '', requestId: '' }),
  );
  await Promise.all([watching, cancelling]);
  assert.equal(seen[0], Order_State.STATE_PENDING);
  assert.equal(seen.at(-1), Order_State.STATE_CANCELLED);
});

test('anybody may ask for a quote, in which a shortage is an answer', async () => {
  const lines = [
    { productId: 'watch', quantity: 2 },
    { productId: 'phone', quantity: 7 },
  ];
  const quote = await orders.quoteOrder({ lines });
  assert.deepEqual(quote.total, usd(2_250n));
  assert.deepEqual(quote.short, [{ productId: 'phone', requested: 7, available: 5 }]);
  const archived = await refuses(orders.quoteOrder({ lines: [{ productId: 'archived', quantity: 1 }] }));
  assert.deepEqual([archived.code, archived.reason], [status.FAILED_PRECONDITION, 'PRODUCT_ARCHIVED']);
});

test('a product at most once, 1 to 1000 of it, and a printable key: else nothing is recorded', async () => {
  const lines = [
    { productId: 'watch', quantity: 1 },
    { productId: 'watch', quantity: 1 },
  ];
  const before = shop.calls.length;
  for (const wrong of [
    { lines },
    { lines: [{ productId: 'watch', quantity: 0 }] },
    { requestId: 'schlüssel' },
  ])
    assert.equal((await refuses(buy('carl', wrong))).code, status.INVALID_ARGUMENT);
  assert.equal(shop.calls.length, before);
});

async function buy(customer: string, change: Partial<CreateOrderRequest> = {}): Promise<Order> {
  const lines = [{ productId: 'watch', quantity: 2 }];
  const request = CreateOrderRequest.fromPartial({ lines, paymentToken: 'tok_visa', ...change });
  return present(await as(`CUSTOMER/${customer}`, () => orders.createOrder(request)));
}

async function read(customer: string, orderId: string, role = 'CUSTOMER'): Promise<Order> {
  return present(await as(`${role}/${customer}`, () => orders.getOrder({ orderId })));
}

function list(token: string, request: Partial<ListOrdersRequest>): Promise<ListOrdersResponse> {
  return as(token, () => orders.listOrders(ListOrdersRequest.fromPartial(request)));
}

function present({ order }: { order: Order | undefined }): Order {
  assert.ok(order !== undefined);
  return order;
}

async function refuses(call: Promise<unknown>): Promise<StatusError> {
  return call.then(
    () => assert.fail('the call was not refused'),
    (error: unknown) => {
      assert.ok(error instanceof StatusError);
      return error;
    },
  );
}

function product(productId: string): Product {
  const state = productId === 'archived' ? Product_State.STATE_ARCHIVED : Product_State.STATE_ACTIVE;
  return Product.fromPartial({ productId, price: shop.unitPrice, stockAvailable: 5, state });
}
