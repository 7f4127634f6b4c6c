/** A service's own PostgreSQL database through MikroORM, with a timeout on everything that can wait. */
import { defineConfig, MikroORM } from '@mikro-orm/postgresql';
import type { EntityManager, EntitySchema, Options } from '@mikro-orm/postgresql';
import type { Logger } from '../telemetry/logger.ts';
import { tracedClient } from './traced-client.ts';

/** A database that is open for serving. */
export type Database = {
  orm: MikroORM;
  /** A fresh entity manager, to be used for one request. */
  em(): EntityManager;
  /** Resolves when the database answers, for readiness. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

/** What to open. */
export type DatabaseOptions = {
  /** URL with the app role: no DDL, no change of ledgers. */
  url: string;
  entities: Entities;
  /** Connections at most; default 10. */
  pool?: number;
  log: Logger;
};

/** Entity schemas, as defineEntity makes them. */
export type Entities = NonNullable<Options['entities']> | EntitySchema[];

/** In ms. MikroORM and pg wait for ever by default; a pool that is full counts as a connection that does not come. */
const TIMEOUTS = {
  connectionTimeoutMillis: 2_000,
  query_timeout: 4_000,
  statement_timeout: 3_000,
  lock_timeout: 1_000,
  idle_in_transaction_session_timeout: 5_000,
  keepAlive: true,
};

/** Opens a database with the app role; fails when it does not answer. */
export async function openDatabase({ url, entities, pool, log }: DatabaseOptions): Promise<Database> {
  const orm = await MikroORM.init(
    defineConfig({
      clientUrl: url,
      entities,
      pool: { min: 0, max: pool ?? 10 },
      driverOptions: { ...TIMEOUTS, Client: tracedClient(new URL(url).pathname.slice(1)) },
      logger: (message) => log.debug({ event: 'orm' }, message),
      debug: false,
    }),
  );
  return {
    orm,
    em: () => orm.em.fork(),
    ping: async () => {
      await orm.em.fork().execute('select 1');
    },
    close: () => orm.close(true),
  };
}
