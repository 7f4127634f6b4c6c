/** A database survives lost backends, waits for nothing without end, and shows its statements as spans. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { Migration } from '@mikro-orm/migrations';
import { defineEntity, p } from '@mikro-orm/postgresql';
import pg from 'pg';
import { pino } from 'pino';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { CHECK_VIOLATION, fromDatabaseError, sqlState } from './database-error.ts';
import { migrate } from './migrate.ts';
import { summarize } from './traced-client.ts';

const Counter = defineEntity({
  name: 'Counter',
  tableName: 'counter',
  properties: { id: p.string().primary(), n: p.integer() },
});

class CreateCounter extends Migration {
  override up(): void {
    this.addSql('create table counter (id text primary key, n int not null check (n >= 0))');
  }
}

const admin = process.env['MERCER_TEST_POSTGRES'] ?? '';
const name = `database_${randomBytes(4).toString('hex')}`;
const url = admin.replace(/\/postgres$/u, `/${name}`);
await asAdmin(`create database ${name}`);
const options = {
  ownerUrl: url,
  entities: [Counter],
  migrations: [{ name: '0001-counter', class: CreateCounter }],
};
await migrate(options);
const database: Database = await openDatabase({
  url,
  entities: [Counter],
  pool: 3,
  log: pino({ level: 'silent' }),
});
after(() => database.close());

test('migrations that run at the same time are applied once', async () => {
  await Promise.all([migrate(options), migrate(options), migrate(options)]);
  const rows = await database
    .em()
    .execute<{ n: number }[]>('select count(*)::int as n from mikro_orm_migrations');
  assert.deepEqual(rows, [{ n: 1 }]);
});

test('a broken CHECK keeps its SQLSTATE', async () => {
  await assert.rejects(
    database.em().execute('insert into counter values (?, ?)', ['a', -1]),
    (error: unknown) => sqlState(error) === CHECK_VIOLATION,
  );
});

test('the pool gives every connection back although backends die inside transactions', async () => {
  for (let round = 0; round < 5; round += 1) {
    const died = database.em().transactional(async (em) => {
      const [{ pid } = { pid: 0 }] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
      await asAdmin(`select pg_terminate_backend(${pid})`);
      await em.execute('select 1');
    });
    await assert.rejects(died, (error: unknown) => fromDatabaseError(error).code === status.UNAVAILABLE);
  }
  await Promise.all(Array.from({ length: 6 }, () => database.ping()));
});

test('a full pool is an answer within seconds, not a hang', async () => {
  const sleepers = Array.from({ length: 3 }, () => database.em().execute('select pg_sleep(2.6)'));
  await assert.rejects(
    database.ping(),
    (error: unknown) => fromDatabaseError(error).code === status.UNAVAILABLE,
  );
  await Promise.all(sleepers);
});

test('a statement is summarized by what it writes, without its values', () => {
  assert.deepEqual(summarize("insert into orders values ('secret')"), {
    operation: 'INSERT',
    table: 'orders',
  });
  assert.deepEqual(summarize('with x as (select 1) update "product" set stock = 1'), {
    operation: 'UPDATE',
    table: 'product',
  });
  assert.deepEqual(summarize('select * from "orders" where id = 7'), {
    operation: 'SELECT',
    table: 'orders',
  });
  assert.deepEqual(summarize('select 1 for update'), { operation: 'SELECT', table: '' });
  assert.deepEqual(summarize('begin'), { operation: 'BEGIN', table: '' });
});

async function asAdmin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
