/** A database of its own for one test file, migrated by its owner and opened with its app role as often as asked. */
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import pg from 'pg';
import { pino } from 'pino';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import type { MigrateOptions } from './migrate.ts';

type Schema = Pick<MigrateOptions, 'entities' | 'migrations'>;

/** A migrated database. */
export type TestDatabase = {
  /** Opens it with the app role, as one replica does; closed when the file's tests are over. */
  open(url?: URL): Promise<Database>;
  /** With the app role. */
  url: URL;
  /** Runs one statement as its owner. */
  asOwner(statement: string): Promise<pg.QueryResult<Record<string, unknown>>>;
};

/** Makes it on the PostgreSQL of MERCER_TEST_POSTGRES. */
export async function createTestDatabase({ entities, migrations }: Schema): Promise<TestDatabase> {
  const admin = new URL(process.env['MERCER_TEST_POSTGRES'] ?? '');
  const name = `test_${randomBytes(4).toString('hex')}`;
  const owner = new URL(name, admin);
  await execute(admin, `create database ${name}`);
  await execute(admin, `create role ${name}_app login password 'app'`);
  await migrate({ ownerUrl: owner.href, entities, migrations });
  const app = Object.assign(new URL(name, admin), { username: `${name}_app`, password: 'app' });
  return {
    url: app,
    async open(url = app) {
      const database = await openDatabase({ url: url.href, entities, log: pino({ level: 'silent' }) });
      after(() => database.close());
      return database;
    },
    asOwner: (statement) => execute(owner, statement),
  };
}

async function execute(url: URL, statement: string): Promise<pg.QueryResult<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
