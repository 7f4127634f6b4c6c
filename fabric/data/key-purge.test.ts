/** Old idempotency keys go, in batches; younger ones stay. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Migration } from '@mikro-orm/migrations';
import { defineEntity, p } from '@mikro-orm/postgresql';
import { pino } from 'pino';
import type { Database } from './database.ts';
import { IDEMPOTENCY_KEY_AGE, IDEMPOTENCY_TABLE } from './idempotency.ts';
import { purgeKeys, startKeyPurge } from './key-purge.ts';
import { createTestDatabase } from './test-database.fixture.ts';
import type { TestDatabase } from './test-database.fixture.ts';

class CreateKeys extends Migration {
  override up(): void {
    for (const statement of [...IDEMPOTENCY_TABLE, IDEMPOTENCY_KEY_AGE]) this.addSql(statement);
    this.addSql(`do $$ begin
      execute format('grant select, insert, update, delete on idempotency_key to %I', current_database() || '_app');
    end $$`);
  }
}

const Nothing = defineEntity({
  name: 'Nothing',
  tableName: 'nothing',
  properties: { id: p.text().primary() },
});
let owner: TestDatabase;
let one: Database;
let other: Database;

before(async () => {
  owner = await createTestDatabase({
    entities: [Nothing],
    migrations: [{ name: '0001-keys', class: CreateKeys }],
  });
  [one, other] = [await owner.open(), await owner.open()];
});

test('keys younger than 24 h stay, older ones go, so many at once as asked', async () => {
  await keys(7, '24 hours 1 minute');
  await keys(3, '23 hours 59 minutes');
  assert.equal(await purgeKeys(one, 5), 5);
  assert.equal(await purgeKeys(one, 5), 2);
  assert.equal(await purgeKeys(one, 5), 0);
  assert.equal(await count(), 3);
});

test('two purges at once delete every old key once, and neither waits for the other', async () => {
  await keys(500, '2 days');
  const purged = await Promise.all([purgeKeys(one, 500), purgeKeys(other, 500), purgeKeys(one, 500)]);
  assert.equal(
    purged.reduce((sum, each) => sum + each, 0),
    500,
  );
});

test('a process purges in the background until nothing old is left', async () => {
  await keys(2_500, '25 hours');
  const purge = startKeyPurge(one, pino({ level: 'silent' }));
  after(() => purge.stop());
  for (let look = 0; look < 100 && (await count()) > 3; look += 1) await sleep(50);
  assert.equal(await count(), 3);
});

function keys(number: number, age: string): Promise<unknown> {
  const caller = randomBytes(4).toString('hex');
  return owner.asOwner(`insert into idempotency_key (caller, method, key, fingerprint, create_time)
    select '${caller}', '/m', n::text, sha256('body'), now() - interval '${age}' from generate_series(1, ${number}) n`);
}

async function count(): Promise<number> {
  const { rows } = await owner.asOwner('select count(*)::integer as n from idempotency_key');
  return Number(rows[0]?.['n']);
}
