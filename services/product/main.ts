/** The product service as a process. */
import { batchSizes } from '#fabric/data/batch-sizes.ts';
import { listenTo } from '#fabric/data/listener.ts';
import { openMigratedDatabase } from '#fabric/data/migrated-database.ts';
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
  const database = await openMigratedDatabase({ settings, entities, migrations, log });
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
