/** The order service as a process. */
import { openMigratedDatabase } from '#fabric/data/migrated-database.ts';
import { startKeyPurge } from '#fabric/data/key-purge.ts';
import { runService } from '#fabric/process/run-service.ts';
import { connect } from '#fabric/rpc/client.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { OrderServiceService } from '#gen/mercer/order/v1/order_service.ts';
import { PaymentServiceService } from '#gen/mercer/payment/v1/payment_service.ts';
import { ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import { chargesOf } from './charges.ts';
import { counter } from './checkout.ts';
import { entities } from './entities.ts';
import { leases } from './leases.ts';
import { migrations } from './migrations.ts';
import { purchaseEvents } from './purchase-events.ts';
import { startRecovery } from './recovery.ts';
import { orderService } from './service.ts';
import { stockOf } from './stock.ts';
import { orderStore } from './store.ts';

/** How long an order whose purchase was left open is its customer's, in ms, before recovery takes it. */
const GRACE = 5_000;

await runService('order', async ({ settings, log, metrics, channel }) => {
  const database = await openMigratedDatabase({ settings, entities, migrations, log });
  const products = connect(ProductServiceService, channel('product'));
  const payments = connect(PaymentServiceService, channel('payment'));
  const store = orderStore(database);
  const work = {
    store,
    stock: stockOf(products),
    charges: chargesOf(payments),
    events: purchaseEvents(log, metrics),
    leases: leases(store),
    grace: GRACE,
  };
  const orders = counter(work);
  // It comes back to a charge that is in flight, instead of waiting for it.
  const recovery = startRecovery({ ...work, charges: chargesOf(payments, 0), grace: 0 }, { log, metrics });
  const purge = startKeyPurge(database, log);
  const service = orderService({
    database,
    work,
    counter: orders,
    products,
    pageTokens: pageTokens(settings['page-token.secret']),
  });
  return {
    registrations: [implement(OrderServiceService, service)],
    ready: () => database.ping(),
    drain: async () => {
      await Promise.all([orders.drain(), recovery.stop(), purge.stop()]);
    },
    close: () => database.close(),
  };
});
