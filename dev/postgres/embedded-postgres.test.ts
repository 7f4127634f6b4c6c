/** A local PostgreSQL through good and bad days: real servers, killed and started on one data folder. */
import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startPostgres } from './embedded-postgres.ts';
import type { Postgres } from './embedded-postgres.ts';
import { freePort, query, scratchFolder } from './scratch.fixture.ts';

const IS_ROOT = process.getuid?.() === 0;
const folder = await scratchFolder();
const dataDir = join(folder, 'deep/postgres');
const logFile = join(folder, 'postgres.log');
const port = await freePort();
const running = new Set<Postgres>();

after(() => Promise.all([...running].map(({ stop }) => stop())));

async function start(overrides: { dataDir?: string; port?: number } = {}): Promise<Postgres> {
  const server = await startPostgres({ dataDir, port, logFile, ...overrides });
  running.add(server);
  return server;
}

test('a new server accepts its superuser, is durable, and keeps the password to itself', async () => {
  const { adminUrl, pid, adopted } = await start();
  const [row] = await query(adminUrl, `select current_setting('fsync') as fsync, version() as version`);
  assert.equal(row?.['fsync'], 'on');
  assert.match(String(row?.['version']), /^PostgreSQL 18\./u);
  assert.equal(adopted, false);
  assert.ok(process.kill(pid, 0));
  assert.equal((await stat(join(dataDir, 'superuser-password'))).mode & 0o777, 0o600);
  await assert.rejects(
    query(adminUrl.replace(/:[^:@]+@/u, ':wrong@'), 'select 1'),
    /password authentication failed/u,
  );
});

test('letters beyond ASCII have upper and lower case', async () => {
  const [{ adminUrl } = await start()] = running;
  assert.deepEqual(await query(adminUrl, `select lower('ÉCOUTEURS') as low`), [{ low: 'écouteurs' }]);
});

test('a second start takes over a server that runs on the same folder and port', async () => {
  const [first = await start()] = running;
  const second = await startPostgres({ dataDir, port, logFile });
  assert.equal(second.adopted, true);
  assert.equal(second.pid, first.pid);
});

test('a folder whose server listens elsewhere is in use', async () => {
  const [{ pid } = await start()] = running;
  await assert.rejects(startPostgres({ dataDir, port: await freePort(), logFile }), (error: Error) => {
    assert.match(error.message, new RegExp(`cluster is in use: .* process ${pid}, port ${port}$`, 'u'));
    return true;
  });
});

test('a server is restarted after SIGKILL with all that was committed, and with the same password', async () => {
  const [before = await start()] = running;
  await query(before.adminUrl, 'create table kept as select 42 as answer');
  process.kill(before.pid, 'SIGKILL');
  assert.deepEqual(await before.exited, { code: null, signal: 'SIGKILL' });
  running.delete(before);
  const again = await start();
  assert.notEqual(again.pid, before.pid);
  assert.equal(again.adminUrl, before.adminUrl);
  assert.deepEqual(await query(before.adminUrl, 'select answer from kept'), [{ answer: 42 }]);
});

test('neither values nor keys reach the log when a statement fails', async () => {
  const [{ adminUrl } = await start()] = running;
  await query(adminUrl, 'create table secrets (word text primary key)');
  await query(adminUrl, 'insert into secrets values ($1)', ['hush-canary']);
  await assert.rejects(query(adminUrl, 'insert into secrets values ($1)', ['hush-canary']), /duplicate key/u);
  await assert.rejects(query(adminUrl, `select 'hush-canary' from nowhere`), /does not exist/u);
  const log = await readFile(logFile, 'utf8');
  assert.match(log, /duplicate key value violates unique constraint/u);
  assert.ok(!log.includes('hush-canary'));
});

test('stopping disconnects clients, ends the server in order and frees folder and port', async () => {
  const [server = await start()] = running;
  const cut = assert.rejects(query(server.adminUrl, 'select pg_sleep(60)'), /terminat/iu);
  await query(server.adminUrl, 'select 1');
  await server.stop();
  running.delete(server);
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  await cut;
  await assert.rejects(stat(join(dataDir, 'cluster/postmaster.pid')));
});

test('a pid file left behind, whose pid is now another process, stops nobody', async () => {
  await writeFile(
    join(dataDir, 'cluster/postmaster.pid'),
    `${process.pid}\n${dataDir}/cluster\n1\n${port}\n\n\n\nready\n`,
  );
  const server = await start();
  assert.equal(server.adopted, false);
  await server.stop();
  running.delete(server);
});

test('a taken port is named', async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
  await assert.rejects(start(), new RegExp(`port ${port} is taken`, 'u'));
  await new Promise((resolve) => squatter.close(resolve));
});

test('a server that cannot start is quoted', async () => {
  const settings = join(dataDir, 'cluster/postgresql.auto.conf');
  const good = await readFile(settings);
  await appendFile(settings, 'no_such_setting = 1\n');
  await assert.rejects(start(), /PostgreSQL did not start: .*no_such_setting.*\(log: /u);
  await writeFile(settings, good);
});

test('a cluster that was never finished is made anew', async () => {
  const other = join(folder, 'half');
  await mkdir(join(other, 'cluster.new/base'), { recursive: true });
  const server = await start({ dataDir: other, port: await freePort() });
  assert.equal((await query(server.adminUrl, 'select 1 as one')).length, 1);
});

test('root is told which folder is closed to the user of PostgreSQL', { skip: !IS_ROOT }, async () => {
  const closed = join(folder, 'closed');
  await mkdir(join(closed, 'inner'), { recursive: true });
  await chmod(closed, 0o700);
  await assert.rejects(
    start({ dataDir: join(closed, 'inner/data') }),
    new RegExp(`^Error: ${closed} is closed`, 'u'),
  );
});

test(
  'a folder that root made for itself is opened for passing, and no further',
  { skip: !IS_ROOT },
  async () => {
    const own = join(folder, 'own');
    await mkdir(own, { mode: 0o700 });
    const server = await start({ dataDir: own, port: await freePort() });
    assert.equal((await stat(own)).mode & 0o777, 0o701);
    assert.equal((await stat(join(own, 'cluster'))).mode & 0o777, 0o700);
    await server.stop();
    running.delete(server);
  },
);
