/** The audit reads what the services really write: their own stores on a real PostgreSQL, and the acquirer's own process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../cli/audit/judge.ts';
import { readBooks } from '../cli/audit/read-books.ts';
import { Snapshot } from '../cli/audit/snapshot.ts';
import { openAuditShop } from './audit-shop.fixture.ts';

const shop = await openAuditShop();
const confirmed = await shop.pay(await shop.begin('alice'), 'tok_visa');
await shop.giveBack(confirmed, 300n);
await shop.cancel(await shop.pay(await shop.begin('bob'), 'tok_mastercard'));
await shop.pay(await shop.begin('carol'), 'tok_declined');
await shop.begin('dave');

test('what the services wrote is without breach, and all of it was looked at', async () => {
  const verdicts = judge(await readBooks(shop.sources));
  assert.deepEqual(
    verdicts.filter(({ suspicions }) => suspicions.length > 0),
    [],
  );
  const looked = Object.fromEntries(verdicts.map(({ id, entities }) => [id, entities]));
  assert.equal(looked['stock-balance'], 2);
  assert.equal(looked['reservation-ledger'], 6);
  assert.equal(looked['order-total'], 4);
  assert.equal(looked['order-key'], 4);
  assert.equal(looked['money-capture'], 3);
  assert.equal(looked['acquirer-capture'], 4);
});

test('rows are read as they are', async () => {
  const books = await readBooks(shop.sources);
  const { orderId } = confirmed;
  const order = books.orders.find((each) => each.orderId === orderId);
  assert.ok(order !== undefined && order.age >= 0 && order.age < 120_000 && order.unchanged <= order.age);
  assert.deepEqual(
    { ...order, age: 0, unchanged: 0 },
    {
      orderId,
      customerId: 'alice',
      state: 'CONFIRMED',
      total: { currencyCode: 'USD', minorUnits: 1100n },
      amountRefunded: 300n,
      paymentId: confirmed.paymentId,
      ending: undefined,
      lines: [
        { productId: 'watch', quantity: 2n, unitPrice: 500n },
        { productId: 'strap', quantity: 1n, unitPrice: 100n },
      ],
      history: [
        { sequence: 1, state: 'PENDING' },
        { sequence: 2, state: 'CONFIRMED' },
      ],
      age: 0,
      unchanged: 0,
    },
  );
  const moved = books.acquirerEntries.filter((entry) => entry.orderId === orderId);
  assert.deepEqual(
    moved.map(({ kind, amount }) => [kind, amount]),
    [
      ['capture', { currencyCode: 'USD', minorUnits: 1100n }],
      ['refund', { currencyCode: 'USD', minorUnits: 300n }],
    ],
  );
  assert.ok(moved.every(({ age }) => age > -2_000 && age < 120_000));
});

/** Faults that the constraints of the schema let through. */
const PLANTS = {
  'a delivery that no ledger knows': {
    into: 'product',
    statement:
      "update stock set available = available + 1, delivered = delivered + 1 where product_id = 'watch'",
    mended:
      "update stock set available = available - 1, delivered = delivered - 1 where product_id = 'watch'",
    breach: ['stock-ledger'],
  },
  'a unit that is sold and not bought': {
    into: 'product',
    statement: "update stock set available = available - 1, sold = sold + 1 where product_id = 'watch'",
    mended: "update stock set available = available + 1, sold = sold - 1 where product_id = 'watch'",
    breach: ['stock-ledger', 'stock-reservations'],
  },
  'a line that costs more than its order': {
    into: 'order',
    statement:
      "update order_line set unit_price = unit_price + 1 where product_id = 'strap' and unit_price > 0",
    mended: "update order_line set unit_price = unit_price - 1 where product_id = 'strap' and unit_price > 0",
    breach: ['order-price', 'order-total'],
  },
  'a state without its transition': {
    into: 'order',
    statement:
      "insert into order_history select order_id, 3, 'CANCELLED', now(), 'planted' from orders where amount_refunded = 300",
    mended: "delete from order_history where note = 'planted'",
    breach: ['order-history'],
  },
  'a key that names no order': {
    into: 'order',
    statement: "update idempotency_key set resource_id = 'x' || resource_id",
    mended: 'update idempotency_key set resource_id = substr(resource_id, 2)',
    breach: ['order-key'],
  },
  'a capture that was booked as another amount': {
    into: 'payment',
    statement: "update payment_ledger set amount_minor = amount_minor + 1 where kind = 'CAPTURE'",
    mended: "update payment_ledger set amount_minor = amount_minor - 1 where kind = 'CAPTURE'",
    breach: ['money-capture', 'money-net', 'order-payment'],
  },
  'a refund that was not booked': {
    into: 'payment',
    statement: "update refund set state = 'PENDING'",
    mended: "update refund set state = 'SUCCEEDED'",
    breach: ['money-refund'],
  },
} as const;

for (const [fault, { into, statement, mended, breach }] of Object.entries(PLANTS)) {
  test(`${fault} is seen in the rows`, async () => {
    await shop.databases[into].asOwner(statement);
    try {
      const found = judge(await readBooks(shop.sources)).filter(({ suspicions }) => suspicions.length > 0);
      assert.deepEqual(found.map(({ id }) => id).toSorted(), breach);
    } finally {
      await shop.databases[into].asOwner(mended);
    }
  });
}

test('a snapshot sees nothing that was written after it, and writes nothing', async () => {
  await using snapshot = new Snapshot('order', shop.sources.order);
  await snapshot.connect();
  await snapshot.begin();
  await shop.databases.order.asOwner("update orders set customer_id = customer_id || '!'");
  assert.deepEqual(await snapshot.rows("select from orders where customer_id like '%!'"), []);
  await shop.databases.order.asOwner("update orders set customer_id = rtrim(customer_id, '!')");
  await assert.rejects(snapshot.rows('delete from orders'), { message: /read-only transaction/u });
});

test('a database or an acquirer that is away is one sentence', async () => {
  const nowhere = new URL(shop.sources.order);
  nowhere.port = '1';
  await assert.rejects(readBooks({ ...shop.sources, order: nowhere.href }), {
    name: 'CommandError',
    message: /^the order database does not answer \(.*ECONNREFUSED.*\)$/u,
  });
  await assert.rejects(readBooks({ ...shop.sources, acquirer: 'http://127.0.0.1:1' }), {
    name: 'CommandError',
    message: 'http://127.0.0.1:1 does not answer (ECONNREFUSED)',
  });
});
