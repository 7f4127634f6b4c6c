/** The product service as a process. */
import { batchSizes } from '#fabric/data/batch-sizes.ts';
import { listenTo } from '#fabric/data/listener.ts';
import { migrate } from '#fabric/data/migrate.ts';
import { openDatabase } from '#fabric/data/database.ts';
import { startKeyPurge } from '#fabric/data/key-purge.ts';
import { runService } from '#fabric/process/run-service.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import { entities } from './entities.ts';
import { CHANGES_CHANNEL, migrations } from './migrations.ts';
import { productChanges } from './product-changes.ts';
import { productService } from './service.ts';
import { stockBatches } from './stock-batches.ts';
import { productStore } from './store.ts';

await runService('product', async ({ settings, log, metrics }) => {
  await migrate({ ownerUrl: settings['database.owner-url'], entities, migrations });
  const database = await openDatabase({
    url: settings['database.url'],
    entities,
    pool: settings['database.pool'],
    log,
  });
  const store = productStore(database);
  const changes = productChanges({
    store,
    listen: (heard) => listenTo({ url: settings['database.url'], channel: CHANGES_CHANNEL, heard, log }),
    log,
  });
  const service = productService({
    store,
    changes,
    stock: stockBatches({
      store,
      reservationTtl: () => settings['reservation.ttl'],
      sizes: batchSizes(metrics),
    }),
    pageTokens: pageTokens(settings['page-token.secret']),
  });
  const purge = startKeyPurge(database, log);
  return {
    registrations: [implement(ProductServiceService, service)],
    ready: () => database.ping(),
    drain: async () => {
      await Promise.all([purge.stop(), changes.stop()]);
    },
    close: () => database.close(),
  };
});
