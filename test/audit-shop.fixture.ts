/** A small shop for audits: the services' own stores on databases of their own, and the acquirer's own process. */
import { createHash, randomUUID, randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import type { Sources } from '../cli/audit/read-books.ts';
import { scratchFolder, startStandIn } from '../dev/stand-in/stand-in.fixture.ts';
import { createTestDatabase } from '../fabric/data/test-database.fixture.ts';
import type { TestDatabase } from '../fabric/data/test-database.fixture.ts';
import type { Order } from '../services/order/domain.ts';
import { entities as orderEntities } from '../services/order/entities.ts';
import { migrations as orderMigrations } from '../services/order/migrations.ts';
import { CREATE_ORDER, orderStore } from '../services/order/store.ts';
import { entities as paymentEntities } from '../services/payment/entities.ts';
import { migrations as paymentMigrations } from '../services/payment/migrations.ts';
import { simulatorAcquirer } from '../services/payment/simulator-acquirer.ts';
import { paymentStore } from '../services/payment/store.ts';
import { entities as productEntities } from '../services/product/entities.ts';
import { migrations as productMigrations } from '../services/product/migrations.ts';
import { productStore } from '../services/product/store.ts';

/** A shop of two products, 50 of each: watches at 500 and straps at 100 minor units of USD. */
export type AuditShop = {
  databases: Record<'product' | 'order' | 'payment', TestDatabase>;
  /** What an audit reads; the URLs are those of a superuser. */
  sources: Sources;
  /** Begins an order of two watches and a strap, and does nothing more. */
  begin(customerId: string): Promise<Order>;
  /** Takes an order that was begun as far as its payment token lets it come: CONFIRMED, or FAILED. */
  pay(order: Order, token: string): Promise<Order>;
  /** Gives back a part of the money of a confirmed order. */
  giveBack(order: Order, amount: bigint): Promise<Order>;
  /** Gives back goods and money of a confirmed order. */
  cancel(order: Order): Promise<Order>;
};

const PRICES = { watch: 500n, strap: 100n };
const ITEMS = [
  { productId: 'watch', quantity: 2 },
  { productId: 'strap', quantity: 1 },
];
const TTL = 60_000;

/** Opens the shop; everything is closed after the file's tests. */
export async function openAuditShop(): Promise<AuditShop> {
  const [product, order, payment, stand] = await Promise.all([
    createTestDatabase({ entities: productEntities, migrations: productMigrations }),
    createTestDatabase({ entities: orderEntities, migrations: orderMigrations }),
    createTestDatabase({ entities: paymentEntities, migrations: paymentMigrations }),
    startStandIn(join(import.meta.dirname, '../dev/acquirer/main.ts'), {
      MERCER_DATA_DIR: await scratchFolder(),
    }),
  ]);
  const products = productStore(await product.open());
  const orders = orderStore(await order.open());
  const payments = paymentStore(await payment.open());
  const acquirer = simulatorAcquirer({ url: stand.url, timeout: () => 5_000 });
  for (const [productId, minorUnits] of Object.entries(PRICES)) {
    const details = { sku: '', displayName: productId, description: '', category: '', imageUri: '' };
    const price = { currencyCode: 'USD', minorUnits };
    await products.create({ productId, details: { ...details, price, attributes: {} }, stock: 50 });
  }

  async function charge({ orderId, customerId, total }: Order, token: string): Promise<string> {
    if (total === undefined) throw new Error('an order is charged after it was priced');
    const demand = { orderId, customerId, amount: total, tokenDigest: token };
    const { payment: begun } = await payments.begin({ ...demand, window: 10_000 });
    const attempt = { key: `charge-${orderId}`, orderId, amount: total, token };
    const { id, status, ...card } = await acquirer.charge(attempt, AbortSignal.timeout(5_000));
    await payments.settle(orderId, {
      state: status === 'succeeded' ? 'SUCCEEDED' : 'DECLINED',
      transactionId: id,
      cardBrand: card.cardBrand,
      cardLast4: card.cardLast4,
      failureReason: card.declineReason,
    });
    return begun.paymentId;
  }

  async function refund({ orderId, total }: Order, amount: bigint): Promise<void> {
    if (total === undefined) throw new Error('an order without a price has no money');
    const money = { ...total, minorUnits: amount };
    const begun = await payments.beginRefund({
      orderId,
      requestId: randomUUID(),
      amount: money,
      reason: 'test',
    });
    if (begun === undefined || !('refund' in begun)) throw new Error('nothing to refund');
    const { refundId } = begun.refund;
    const asked = { key: `refund-${refundId}`, chargeId: begun.payment.transactionId, amount: money };
    await acquirer.refund(asked, AbortSignal.timeout(5_000));
    await payments.settleRefund(refundId);
  }

  async function undo(order: Order, state: 'FAILED' | 'CANCELLED'): Promise<Order> {
    const reason = state === 'FAILED' ? 'PAYMENT_DECLINED' : 'ORDER_CANCELLED';
    const decided = await orders.decide(order, { state, reason, message: '', metadata: {} });
    await products.release([order.orderId]);
    const left = order.state === 'CONFIRMED' ? (order.total?.minorUnits ?? 0n) : 0n;
    if (left > 0n) await refund(order, left);
    return orders.end({ ...decided, amountRefunded: left });
  }

  return {
    databases: { product, order, payment },
    sources: {
      product: await urlOf(product),
      order: await urlOf(order),
      payment: await urlOf(payment),
      acquirer: stand.url,
    },
    async begin(customerId) {
      const fingerprint = createHash('sha256').update('body').digest();
      const request = {
        caller: `https://idp ${customerId}`,
        method: CREATE_ORDER,
        key: randomUUID(),
        fingerprint,
      };
      const begun = await orders.begin({ orderId: randomUUIDv7(), customerId, items: ITEMS }, request);
      if (begun.kind !== 'begun') throw new Error('the key was used before');
      return begun.order;
    },
    async pay(order, token) {
      const { orderId } = order;
      const [held] = await products.reserve([{ orderId, lines: ITEMS }], TTL);
      if (held === undefined || !('lines' in held)) throw new Error('the shop is sold out');
      const lines = held.lines.map(({ currencyCode, unitPrice, ...line }) => {
        return { ...line, unitPrice: { currencyCode, minorUnits: unitPrice } };
      });
      const total = { currencyCode: 'USD', minorUnits: 2n * PRICES.watch + PRICES.strap };
      const priced = await orders.recordPrices(order, { lines, total });
      const paid = { ...priced, paymentId: await charge(priced, token) };
      if (token === 'tok_declined') return undo(paid, 'FAILED');
      await products.commit([orderId]);
      return orders.confirm(paid);
    },
    async giveBack(order, amount) {
      await refund(order, amount);
      return orders.recordRefund({ ...order, amountRefunded: amount }, 'test');
    },
    cancel: (order) => undo(order, 'CANCELLED'),
  };
}

async function urlOf(database: TestDatabase): Promise<string> {
  const { rows } = await database.asOwner('select current_database() as name');
  return new URL(String(rows[0]?.['name']), process.env['MERCER_TEST_POSTGRES']).href;
}
