/** Tries the way of PostgreSQL's user to a data folder. */
import { equal, rejects } from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { prepareData } from './data-folder.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-folder-'));
await chmod(directory, 0o755);
after(() => rm(directory, { recursive: true, force: true }));

const asRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root' };

test('a folder of root alone is opened to pass through, no further', asRoot, async () => {
  const data = join(directory, 'mine');
  await mkdir(data, { mode: 0o700 });
  await prepareData(data);
  equal((await stat(data)).mode & 0o777, 0o701);
});

test('a closed folder above is named, with what to do', asRoot, async () => {
  const closed = join(directory, 'closed');
  await mkdir(closed, { mode: 0o700 });
  await rejects(prepareData(join(closed, 'data')), {
    message: new RegExp(`^${closed} is closed to other users.*chmod o\\+x`),
  });
});

test('a folder that is not there is made', async () => {
  await prepareData(join(directory, 'new/data'));
});
