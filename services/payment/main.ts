/** The payment service as a process. */
import { migrate } from '#fabric/data/migrate.ts';
import { openDatabase } from '#fabric/data/database.ts';
import { runService } from '#fabric/process/run-service.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { PaymentServiceService } from '#gen/mercer/payment/v1/payment_service.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { paymentService } from './service.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';
import { paymentStore } from './store.ts';

await runService('payment', async ({ settings, log }) => {
  await migrate({ ownerUrl: settings['database.owner-url'], entities, migrations });
  const database = await openDatabase({
    url: settings['database.url'],
    entities,
    pool: settings['database.pool'],
    log,
  });
  const service = paymentService({
    store: paymentStore(database),
    acquirer: simulatorAcquirer({
      url: settings['acquirer.url'],
      timeout: () => settings['acquirer.timeout'],
    }),
    pageTokens: pageTokens(settings['page-token.secret']),
    log,
  });
  return {
    registrations: [implement(PaymentServiceService, service)],
    ready: () => database.ping(),
    close: () => database.close(),
  };
});
