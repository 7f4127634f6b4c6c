/** What the roles of a service's database may and may not do, on a real server. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { join } from 'node:path';
import { databaseUrls, ensureDatabase } from './database.ts';
import { startPostgres } from './embedded-postgres.ts';
import { freePort, query, scratchFolder } from './scratch.fixture.ts';

const folder = await scratchFolder();
const server = await startPostgres({
  dataDir: join(folder, 'data'),
  port: await freePort(),
  logFile: join(folder, 'log'),
});
after(() => server.stop());
const { ownerUrl, appUrl } = await ensureDatabase(server.adminUrl, 'shop');
const other = await ensureDatabase(server.adminUrl, 'bank');
await query(ownerUrl, 'create table item (id bigint generated always as identity primary key, name text)');
await query(ownerUrl, 'create sequence numbers');

test('the app role reads, inserts and updates what the owner made', async () => {
  await query(appUrl, `insert into item (name) values ('a')`);
  await query(appUrl, `update item set name = 'b'`);
  assert.deepEqual(await query(appUrl, `select name, nextval('numbers') from item`), [
    { name: 'b', nextval: '1' },
  ]);
});

for (const statement of [
  'delete from item',
  'truncate item',
  'drop table item',
  'alter table item add column more text',
  'create table mine (id int)',
  'create schema mine',
  'create temporary table mine (id int)',
  'create database mine',
  'create role mine',
]) {
  test(`the app role may not: ${statement}`, async () => {
    await assert.rejects(query(appUrl, statement), { code: '42501' });
  });
}

test('nobody connects to the database of another service', async () => {
  for (const url of [other.appUrl, other.ownerUrl]) {
    const foreign = Object.assign(new URL(url), { pathname: '/shop' }).href;
    await assert.rejects(query(foreign, 'select 1'), { code: '42501' });
  }
});

test('roles are told apart by their passwords', async () => {
  const passwords = [ownerUrl, appUrl, other.ownerUrl, other.appUrl].map((url) => new URL(url).password);
  assert.equal(new Set(passwords).size, 4);
  assert.ok(!passwords.includes(new URL(server.adminUrl).password));
});

test('asking again changes nothing, and the URLs are known beforehand', async () => {
  assert.deepEqual(await ensureDatabase(server.adminUrl, 'shop'), { ownerUrl, appUrl });
  assert.deepEqual(databaseUrls(server.adminUrl, 'shop'), { ownerUrl, appUrl });
  assert.equal((await query(appUrl, 'select name from item')).length, 1);
});

test('given passwords replace those before', async () => {
  const changed = await ensureDatabase(server.adminUrl, 'bank', { owner: 'own%', app: "it's" });
  assert.equal((await query(changed.appUrl, 'select 1')).length, 1);
  assert.equal((await query(changed.ownerUrl, 'select 1')).length, 1);
  await assert.rejects(query(other.appUrl, 'select 1'), { code: '28P01' });
});

test('a name that is no plain word is refused', async () => {
  await assert.rejects(
    ensureDatabase(server.adminUrl, 'x"; drop database shop; --'),
    /is no name for a database/u,
  );
});
