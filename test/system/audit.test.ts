/** `mercer audit` on a whole fabric: its books agree, and a breach is told to people and to scripts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startFabric } from './fabric.ts';
import type { Fabric } from './fabric.ts';
import { order, shopAt, stockedProduct } from './shop.ts';
import type { Answer } from './shop.ts';

type Report = { ok: boolean; checks: { id: string; ok: boolean; breaches: string[] }[] };

let fabric: Fabric;
let placed: Answer;

before(async () => {
  fabric = await startFabric('--seed', 'none', '--set', 'zipkin.url=');
  const { gateway, tokens } = fabric.ready;
  const send = shopAt(gateway);
  const productId = await stockedProduct(send, tokens.admin, 10);
  placed = await order(send, productId, { token: tokens.customer, quantity: 2 });
  assert.equal(placed.status, 201, JSON.stringify(placed.body));
  const declined = await order(send, productId, { token: tokens.customer, paymentToken: 'tok_declined' });
  assert.equal(declined.status, 402, JSON.stringify(declined.body));
  const short = await order(send, productId, { token: tokens.customer, quantity: 9 });
  assert.equal(short.status, 409, JSON.stringify(short.body));
  const other = await order(send, productId, { token: tokens.customer });
  const path = `/v1/orders/${String(other.body['orderId'])}`;
  const cancelled = await send('POST', `${path}:cancel`, { token: tokens.customer, body: {} });
  assert.equal(cancelled.status, 200, JSON.stringify(cancelled.body));
});
after(() => fabric[Symbol.asyncDispose]());

test('purchases of a moment ago are in order, and judged without waiting', async () => {
  const began = Date.now();
  const { code, stdout, stderr } = await fabric.mercer('audit', '--json');
  const report = JSON.parse(stdout) as Report;
  assert.deepEqual(
    report.checks.filter(({ ok }) => !ok),
    [],
  );
  assert.deepEqual([code, stderr, report.ok], [0, '', true]);
  assert.ok(report.checks.length >= 15);
  assert.ok(Date.now() - began < 9_000, 'it waited for something to settle');
});

test('an audit while orders are placed reports no breach', async () => {
  const { gateway, tokens } = fabric.ready;
  const send = shopAt(gateway);
  const productId = await stockedProduct(send, tokens.admin, 10_000);
  const over = new AbortController();
  let sold = 0;
  const buyers = [1, 2, 3, 4].map(async () => {
    while (!over.signal.aborted) {
      const { status } = await order(send, productId, { token: tokens.customer });
      if (status === 201) sold += 1;
    }
  });
  try {
    await until(() => sold >= 10);
    const before = sold;
    const { code, stdout } = await fabric.mercer('audit');
    assert.equal(code, 0, stdout);
    await until(() => sold > before);
  } finally {
    over.abort();
    await Promise.all(buyers);
  }
});

test('goods that went missing behind a paid order are a breach, with its id', async () => {
  const orderId = String(placed.body['orderId']);
  await change(
    fabric.ready.databases.product,
    `update reservation set state = 'RELEASED' where order_id = $1`,
    [orderId],
  );
  const json = await fabric.mercer('audit', '--json');
  const report = JSON.parse(json.stdout) as Report;
  assert.deepEqual([json.code, report.ok], [1, false]);
  const broken = report.checks.filter(({ ok }) => !ok);
  assert.deepEqual(broken.map(({ id }) => id).toSorted(), [
    'order-stock',
    'reservation-ledger',
    'stock-reservations',
  ]);
  const told = `order ${orderId}: CONFIRMED, but its reservation is RELEASED`;
  assert.deepEqual(broken.find(({ id }) => id === 'order-stock')?.breaches, [told]);
  const table = await fabric.mercer('audit');
  assert.equal(table.code, 1);
  assert.match(table.stdout, /^order-stock +.+ +\d+ +1 breach$/mu);
  assert.ok(table.stdout.includes(`\norder-stock\n  ${told}\n`), table.stdout);
});

test('a fabric that was stopped is one sentence', async () => {
  assert.equal(await fabric.stop(), 0);
  const { code, stdout, stderr } = await fabric.mercer('audit', '--json');
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^mercer: no fabric runs on [^\n]+\n$/u);
});

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 50) {
    assert.ok(waited < 30_000, 'nothing was sold');
    await sleep(50);
  }
}

async function change(url: string, statement: string, values: unknown[]): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  await client.connect();
  try {
    assert.equal((await client.query(statement, values)).rowCount, 1);
  } finally {
    await client.end();
  }
}
