/** The payment service as a process. */
import { openMigratedDatabase } from '#fabric/data/migrated-database.ts';
import { runService } from '#fabric/process/run-service.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { PaymentServiceService } from '#gen/mercer/payment/v1/payment_service.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { recoveryQueue } from './recovery-queue.ts';
import { startRecovery } from './recovery.ts';
import { paymentService } from './service.ts';
import { simulatorAcquirer } from './simulator-acquirer.ts';
import { paymentStore } from './store.ts';

await runService('payment', async ({ settings, log, metrics, clock }) => {
  const database = await openMigratedDatabase({ settings, entities, migrations, log });
  const queue = recoveryQueue(database);
  const work = {
    store: paymentStore(database),
    acquirer: simulatorAcquirer({
      url: settings['acquirer.url'],
      timeout: () => settings['acquirer.timeout'],
    }),
    log,
  };
  const recovery = startRecovery({ ...work, queue });
  metrics.gauge(
    'mercer_payment_stuck',
    'Payments in the database that recovery could not finish so far.',
    recovery.stuck,
  );
  const service = paymentService({
    ...work,
    queue,
    eventSecret: settings['acquirer.event-secret'],
    clock,
    wake: recovery.wake,
    pageTokens: pageTokens(settings['page-token.secret']),
  });
  return {
    registrations: [implement(PaymentServiceService, service)],
    ready: () => database.ping(),
    drain: recovery.stop,
    close: () => database.close(),
  };
});
