/** Brings a database's schema up to date, as its owner, on a connection that is closed before serving. */
import { Migrator } from '@mikro-orm/migrations';
import type { Migration } from '@mikro-orm/migrations';
import { defineConfig, MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import type { Entities } from './database.ts';

/** What to migrate. */
export type MigrateOptions = {
  /** URL with the owner role. */
  ownerUrl: string;
  entities: Entities;
  /** In order; a name once released never changes. */
  migrations: { name: string; class: new (...args: ConstructorParameters<typeof Migration>) => Migration }[];
};

/** Any number will do, as long as every migration of Mercer takes the same one. */
const LOCK = 4_070_777;

/**
 * Applies the migrations that are missing. Replicas that start together take turns by an advisory lock;
 * waiting longer than 30 s fails.
 */
export async function migrate({ ownerUrl, entities, migrations }: MigrateOptions): Promise<void> {
  const gate = new pg.Client({
    connectionString: ownerUrl,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
  });
  gate.on('error', () => undefined);
  await gate.connect();
  try {
    await gate.query('select pg_advisory_lock($1)', [LOCK]);
    await apply({ ownerUrl, entities, migrations });
  } finally {
    await gate.end();
  }
}

async function apply({ ownerUrl, entities, migrations }: MigrateOptions): Promise<void> {
  const orm = await MikroORM.init(
    defineConfig({
      clientUrl: ownerUrl,
      entities,
      extensions: [Migrator],
      migrations: { migrationsList: migrations, snapshot: false, transactional: true, silent: true },
      pool: { min: 0, max: 2 },
      driverOptions: { connectionTimeoutMillis: 5_000, lock_timeout: 2_000 },
    }),
  );
  try {
    await orm.migrator.up();
  } finally {
    await orm.close(true);
  }
}
