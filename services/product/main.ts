/** The product service as a process. */
import { migrate } from '#fabric/data/migrate.ts';
import { openDatabase } from '#fabric/data/database.ts';
import { runService } from '#fabric/process/run-service.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { pageTokens } from '#fabric/rpc/page-token.ts';
import { ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';
import { productService } from './service.ts';
import { productStore } from './store.ts';

await runService('product', async ({ settings, log }) => {
  await migrate({ ownerUrl: settings['database.owner-url'], entities, migrations });
  const database = await openDatabase({
    url: settings['database.url'],
    entities,
    pool: settings['database.pool'],
    log,
  });
  const service = productService({
    store: productStore(database),
    pageTokens: pageTokens(settings['page-token.secret']),
    reservationTtl: () => settings['reservation.ttl'],
  });
  return {
    registrations: [implement(ProductServiceService, service)],
    ready: () => database.ping(),
    close: () => database.close(),
  };
});
