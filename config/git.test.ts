/** Git calls end: by their answer, their deadline or a signal, and take what they started with them. */
import { doesNotMatch, equal, match, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gitIn, withoutCredentials } from './git.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-git-'));
const git = gitIn(join(directory, 'clone.git'));
await git(['init', '--quiet', '--bare']);

/** A git server that accepts and never answers. */
const silent = createServer().listen(0, '127.0.0.1');
await once(silent, 'listening');
const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/config-repo`;
after(async () => {
  silent.close();
  await rm(directory, { recursive: true });
});

test('a fetch that hangs ends at its deadline, and so does its connection', async () => {
  const connected = once(silent, 'connection', { signal: AbortSignal.timeout(5_000) }) as Promise<[Socket]>;
  const fetching = rejects(git(['fetch', '--', url], { timeout: 700 }), {
    message: 'git fetch: no answer within 700 ms',
  });
  const [socket] = await connected;
  socket.on('error', () => undefined).resume();
  await Promise.all([fetching, once(socket, 'close', { signal: AbortSignal.timeout(5_000) })]);
});

test('a signal ends it earlier', async () => {
  const signal = AbortSignal.timeout(300);
  await rejects(git(['fetch', '--', url], { timeout: 30_000, signal }), /the server is stopping/);
});

test('a failure tells what git said, without user names and tokens', async () => {
  const failure: unknown = await git(['fetch', '--', 'http://me:t0ken@127.0.0.1:1/x']).catch(
    (error: unknown) => error,
  );
  const { message } = failure as Error;
  match(message, /^git fetch: .*127\.0\.0\.1/);
  doesNotMatch(message, /t0ken/);
  equal(
    withoutCredentials('https://me:t0ken@host/a and ssh://git@host/b'),
    'https://host/a and ssh://host/b',
  );
});

test('a failure is one line', async () => {
  await rejects(git(['fetch', '--', join(directory, 'nowhere')]), {
    message: /^git fetch: fatal: '.*nowhere' does not appear to be a git repository fatal: .*exists\.$/,
  });
});

test('helper protocols that run commands are refused', async () => {
  await rejects(git(['fetch', '--', 'ext::touch /tmp/owned']), /not allowed/);
});

test('output is given back as it is, for input of any length', async () => {
  const blob = (await git(['hash-object', '-w', '--stdin'], { input: 'x'.repeat(200_000) }))
    .toString()
    .trim();
  equal((await git(['cat-file', 'blob', blob])).length, 200_000);
});
