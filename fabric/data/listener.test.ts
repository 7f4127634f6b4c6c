/** A listener hears what is notified, also after its connection was lost. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { listenTo } from './listener.ts';

const url = process.env['MERCER_TEST_POSTGRES'] ?? '';
const channel = `channel_${randomBytes(4).toString('hex')}`;
const log = pino({ level: 'silent' });

test('it hears each notification, and once more for each connection that it makes', async () => {
  const { heard, listener } = open();
  await until(() => heard() === 1);
  await execute(`notify ${channel}`);
  await until(() => heard() === 2);
  await execute(`select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen "${channel}"'`);
  await until(() => heard() === 3);
  await execute(`notify ${channel}`);
  await until(() => heard() === 4);
  await listener.stop();
  await execute(`notify ${channel}`);
  assert.equal(heard(), 4);
});

test('it leaves no connection behind, and stops although it never got one', async () => {
  const { heard, listener } = open();
  await until(() => heard() === 1);
  await listener.stop();
  await until(async () => (await connections()) === 0);
  await open('postgresql://nobody@127.0.0.1:1/nothing').listener.stop();
});

function open(at: string = url) {
  let count = 0;
  const listener = listenTo({ url: at, channel, heard: () => (count += 1), log });
  after(() => listener.stop());
  return { heard: () => count, listener };
}

async function connections(): Promise<number> {
  const { rowCount } = await execute(
    `select from pg_stat_activity where query = 'listen "${channel}"' and pid <> pg_backend_pid()`,
  );
  return rowCount ?? 0;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 250; look += 1) {
    if (await condition()) return;
    await sleep(20);
  }
  assert.fail(`never: ${String(condition)}`);
}

async function execute(statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
