/** Cancelling and refunding, on a real order database against a shop in memory. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { counter } from './checkout.ts';
import type { Order } from './domain.ts';
import {
  assertSettled,
  buy,
  checkout,
  failing,
  keyed,
  mortal,
  openOrders,
  recoveryIn,
  soon,
  usd,
  workIn,
} from './purchase.fixture.ts';
import type { Orders } from './purchase.fixture.ts';
import { recoverRefunds } from './refund-recovery.ts';
import { Shop } from './shop.fixture.ts';
import { cancel, refund } from './taking-back.ts';

let orders: Orders;

before(async () => {
  orders = await openOrders();
});

test('cancelling a paid order returns money and goods, and again changes nothing', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  const cancelled = await cancel(order, 'changed mind', workIn(shop, orders.store));
  assert.equal(cancelled.state, 'CANCELLED');
  assert.equal(cancelled.amountRefunded, 500n);
  assert.equal(cancelled.history.at(-1)?.note, 'changed mind');
  assertSettled(shop, cancelled);
  assert.deepEqual(await cancel(cancelled, 'again', workIn(shop, orders.store)), cancelled);
});

test('a failed order cannot be cancelled', async () => {
  const shop = new Shop();
  const order = await counter(workIn(shop, orders.store)).place(
    checkout({ paymentToken: 'tok_declined' }),
    keyed(),
    soon(),
  );
  await assert.rejects(cancel(order, '', workIn(shop, orders.store)), {
    code: status.FAILED_PRECONDITION,
    reason: 'ORDER_NOT_CANCELLABLE',
  });
});

for (let delay = 0; delay <= 20; delay += 4) {
  test(`cancelling ${delay} ms into a purchase: one of the two wins, and money and goods end right`, async () => {
    const shop = new Shop();
    const request = keyed();
    const purchase = counter(workIn(shop, orders.store)).place(checkout(), request, soon());
    await sleep(delay);
    const [orderId] = await orders.placedUnder(request);
    const order = orderId === undefined ? undefined : await orders.replica.find(orderId);
    if (order !== undefined) await cancel(order, '', workIn(shop, orders.replica));
    await purchase;
    const now = await orders.placedUnder(request).then(([id = '']) => orders.store.find(id));
    assert.equal(now?.state, order === undefined ? 'CONFIRMED' : 'CANCELLED');
    if (now !== undefined) assertSettled(shop, now);
  });
}

test('refunds in parts end REFUNDED with the goods still sold, and more than the rest is refused', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  const part = await refund(
    order,
    { amount: usd(200n), reason: '', request: keyed() },
    workIn(shop, orders.store),
  );
  assert.deepEqual([part.state, part.amountRefunded], ['CONFIRMED', 200n]);
  await assert.rejects(
    refund(part, { amount: usd(301n), reason: '', request: keyed() }, workIn(shop, orders.store)),
    {
      reason: 'REFUND_EXCEEDS_CAPTURE',
    },
  );
  const all = await refund(
    part,
    { amount: undefined, reason: '', request: keyed() },
    workIn(shop, orders.store),
  );
  assert.deepEqual([all.state, all.amountRefunded], ['REFUNDED', 500n]);
  assert.equal(shop.reservations.get(order.orderId), 'SOLD');
  await assert.rejects(cancel(all, '', workIn(shop, orders.store)), { reason: 'ORDER_NOT_CANCELLABLE' });
});

test('cancelling a partly refunded order returns the rest', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  const part = await refund(
    order,
    { amount: usd(200n), reason: '', request: keyed() },
    workIn(shop, orders.store),
  );
  const cancelled = await cancel(part, '', workIn(shop, orders.store));
  assert.equal(cancelled.amountRefunded, 500n);
  assertSettled(shop, cancelled);
});

test('a refund needs a positive amount in the currency of the order', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  for (const amount of [usd(0n), { currencyCode: 'EUR', minorUnits: 1n }]) {
    const asked = { amount, reason: '', request: keyed() };
    await assert.rejects(refund(order, asked, workIn(shop, orders.store)), { code: status.INVALID_ARGUMENT });
  }
});

test('cancelling by a reading from before the charge returns the charge, too', async () => {
  const shop = new Shop();
  const request = keyed();
  const { promise: early, resolve: read } = Promise.withResolvers<Order | undefined>();
  const work = workIn(shop, orders.store);
  const charge: typeof work.charges.charge = async (asked) => {
    const charged = await work.charges.charge(asked);
    await cancel((await early) ?? assert.fail(), '', workIn(shop, orders.replica));
    return charged;
  };
  const recordPrices: typeof work.store.recordPrices = async (order, prices) => {
    read(await orders.replica.find(order.orderId));
    return work.store.recordPrices(order, prices);
  };
  const slow = { ...work, store: { ...work.store, recordPrices }, charges: { ...work.charges, charge } };
  const order = await counter(slow).place(checkout(), request, soon());
  assert.equal(order.state, 'CANCELLED');
  assert.deepEqual(order.total, usd(500n));
  assertSettled(shop, order);
});

for (const token of ['tok_async', 'tok_review']) {
  test(`cancelling an order that waits for ${token} voids its charge`, async () => {
    const shop = new Shop();
    const order = await buy(shop, orders.store, { paymentToken: token });
    const cancelled = await cancel(order, '', workIn(shop, orders.store));
    assert.equal(cancelled.state, 'CANCELLED');
    assertSettled(shop, cancelled);
  });
}

test('a cancellation that cannot be finished yet stands, and cancelling again finishes it', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  const error = new StatusError(status.UNAVAILABLE, 'gone');
  failing(shop, ['refundPayment'], { when: 'before', error, times: Infinity });
  await assert.rejects(cancel(order, 'changed mind', workIn(shop, orders.store)), {
    reason: 'OUTCOME_UNKNOWN',
  });
  const waiting = await orders.store.find(order.orderId);
  assert.equal(waiting?.ending?.message, 'changed mind');
  shop.fault = () => undefined;
  const cancelled = await cancel(waiting ?? order, '', workIn(shop, orders.replica));
  assert.equal(cancelled.state, 'CANCELLED');
  assertSettled(shop, cancelled);
});

test('cancelling while a refund is on its way waits for it, and returns the rest', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  const { settle } = shop.claim(order.orderId, 500n);
  const onItsWay = setTimeout(settle, 150);
  const cancelled = await cancel(order, '', workIn(shop, orders.store));
  clearTimeout(onItsWay);
  assert.deepEqual([cancelled.state, cancelled.amountRefunded], ['CANCELLED', 500n]);
  assertSettled(shop, cancelled);
});

test('a cancellation tells of all the money, also of a part that was on its way when the rest went back', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  const { settle } = shop.claim(order.orderId, 200n);
  const onItsWay = setTimeout(settle, 150);
  const cancelled = await cancel(order, '', workIn(shop, orders.store));
  clearTimeout(onItsWay);
  assert.deepEqual([cancelled.state, cancelled.amountRefunded], ['CANCELLED', 500n]);
});

test('cancelling an order whose charge the acquirer never received ends CANCELLED', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store, { paymentToken: 'tok_review' });
  shop.refuse = {
    refundPayment: new StatusError(status.NOT_FOUND, 'no charge', { reason: 'CHARGE_NOT_FOUND' }),
  };
  const cancelled = await cancel(order, '', workIn(shop, orders.store));
  assert.deepEqual([cancelled.state, cancelled.amountRefunded], ['CANCELLED', 0n]);
});

test('a refund that a cancellation overtakes tells of the money that went back', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  const work = workIn(shop, orders.store);
  const charges: typeof work.charges = {
    ...work.charges,
    async refund(money) {
      const returned = await work.charges.refund(money);
      await orders.replica.decide(order, {
        state: 'CANCELLED',
        reason: 'ORDER_CANCELLED',
        message: '',
        metadata: {},
      });
      return returned;
    },
  };
  const asked = { amount: usd(200n), reason: '', request: keyed() };
  assert.equal((await refund(order, asked, { ...work, charges })).amountRefunded, 200n);
});

for (const amount of [usd(200n), undefined]) {
  for (let line = 1; line <= 3; line += 1) {
    for (const when of ['before', 'after'] as const) {
      const what = amount === undefined ? 'the whole' : 'a part';
      test(`a refund of ${what} whose process died ${when} effect ${line} is finished by recovery`, async () => {
        const shop = new Shop();
        const order = await buy(shop, orders.store);
        const asked = { amount, reason: 'scratched', request: keyed() };
        const died = refund(order, asked, mortal(workIn(shop, orders.store), { line, when }));
        await assert.rejects(died, { reason: 'OUTCOME_UNKNOWN' });
        await orders.pass();
        await recoverRefunds(recoveryIn(shop, orders.replica));
        const now = await orders.store.find(order.orderId);
        const back = line === 1 && when === 'before' ? 0n : (amount?.minorUnits ?? 500n);
        assert.equal(shop.accounts.get(order.orderId)?.returned, back);
        assert.equal(now?.amountRefunded, back);
        assert.equal(now.state, back === 500n ? 'REFUNDED' : 'CONFIRMED');
        assert.equal(now.history.at(-1)?.note, back === 500n ? 'scratched' : '');
        const again = await refund(now, asked, workIn(shop, orders.store));
        assert.equal(again.amountRefunded, amount?.minorUnits ?? 500n);
      });
    }
  }
}

test('a refund that was refused is not made later', async () => {
  const shop = new Shop();
  const order = await buy(shop, orders.store);
  const { settle } = shop.claim(order.orderId, 400n);
  const asked = { amount: usd(200n), reason: '', request: keyed() };
  await assert.rejects(refund(order, asked, workIn(shop, orders.store)), {
    reason: 'REFUND_EXCEEDS_CAPTURE',
  });
  settle();
  shop.calls.length = 0;
  await orders.pass();
  await recoverRefunds(recoveryIn(shop, orders.replica));
  assert.deepEqual(shop.calls, []);
});
