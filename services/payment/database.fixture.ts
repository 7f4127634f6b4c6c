/** A database of its own for one test file, migrated by its owner and opened with its app role. */
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import pg from 'pg';
import { pino } from 'pino';
import { migrate } from '#fabric/data/migrate.ts';
import { openDatabase } from '#fabric/data/database.ts';
import type { Database } from '#fabric/data/database.ts';
import { entities } from './entities.ts';
import { migrations } from './migrations.ts';

/** Makes and opens it on the PostgreSQL of MERCER_TEST_POSTGRES; closed when the file's tests are over. */
export async function openTestDatabase(): Promise<Database> {
  const admin = new URL(process.env['MERCER_TEST_POSTGRES'] ?? '');
  const name = `payment_${randomBytes(4).toString('hex')}`;
  await execute(admin, `create database ${name}`);
  await execute(admin, `create role ${name}_app login password 'app'`);
  await migrate({ ownerUrl: new URL(name, admin).href, entities, migrations });
  const app = Object.assign(new URL(name, admin), { username: `${name}_app`, password: 'app' });
  const database = await openDatabase({ url: app.href, entities, log: pino({ level: 'silent' }) });
  after(() => database.close());
  return database;
}

async function execute(url: URL, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(statement);
  await client.end();
}
