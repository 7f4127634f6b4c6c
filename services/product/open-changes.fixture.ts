/** The changes of a test database, and a way to know from when on they are told. */
import { after } from 'node:test';
import { pino } from 'pino';
import { listenTo } from '#fabric/data/listener.ts';
import { CHANGES_CHANNEL } from './migrations.ts';
import { productChanges } from './product-changes.ts';
import type { ProductChanges } from './product-changes.ts';
import type { ProductStore } from './store.ts';

/** Changes, and the moment from which on they are told, which the first reader brings about. */
export type OpenChanges = ProductChanges & { begun: Promise<void> };

/** Opens them until the file's tests are over; without `url` nothing is heard, and only looking helps. */
export function openChanges(store: ProductStore, url?: URL): OpenChanges {
  const log = pino({ level: 'silent' });
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const changes = productChanges({
    store: {
      ...store,
      async moment() {
        const moment = await store.moment();
        resolve();
        return moment;
      },
    },
    listen: (heard) =>
      url === undefined
        ? { stop: () => Promise.resolve() }
        : listenTo({ url: url.href, channel: CHANGES_CHANNEL, heard, log }),
    log,
  });
  after(() => changes.stop());
  return { ...changes, begun };
}
