/** The order service as a process. */
import { migrate } from '#fabric/data/migrate.ts';
import { openDatabase } from '#fabric/data/database.ts';
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
import { migrations } from './migrations.ts';
import { purchaseEvents } from './purchase-events.ts';
import { orderService } from './service.ts';
import { stockOf } from './stock.ts';
import { orderStore } from './store.ts';

await runService('order', async ({ settings, log, channel }) => {
  await migrate({ ownerUrl: settings['database.owner-url'], entities, migrations });
  const database = await openDatabase({
    url: settings['database.url'],
    entities,
    pool: settings['database.pool'],
    log,
  });
  const products = connect(ProductServiceService, channel('product'));
  const payments = connect(PaymentServiceService, channel('payment'));
  const work = {
    store: orderStore(database),
    stock: stockOf(products),
    charges: chargesOf(payments),
    events: purchaseEvents(log),
  };
  const orders = counter(work);
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
    drain: () => orders.drain(),
    close: () => database.close(),
  };
});
