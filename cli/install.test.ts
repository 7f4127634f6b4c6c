/** Tries the installation with an npm that is made up, in a folder of its own. */
import { equal, match, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ROOT } from './root.ts';

type Answer = { code: number; stderr: string };

/** A clone that holds nothing but the installer; `npm` is a shell script. */
async function clone(
  t: TestContext,
  npm: string | undefined,
): Promise<(...flags: string[]) => Promise<Answer>> {
  const directory = await mkdtemp(join(tmpdir(), 'mercer-install-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'bin'));
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await writeFile(join(directory, 'package-lock.json'), '{}');
  for (const file of ['install.js', 'installation.js', 'link-bin.js', 'mercer.js'])
    await cp(join(ROOT, 'cli', file), join(directory, 'cli', file));
  if (npm !== undefined) {
    await writeFile(join(directory, 'bin/npm'), `#!/bin/sh\necho ran >> npm-runs\n${npm}\n`);
    await chmod(join(directory, 'bin/npm'), 0o755);
  }
  const env = {
    PATH: `${join(directory, 'bin')}${npm === undefined ? '' : `:/usr/bin:/bin:${dirname(process.execPath)}`}`,
  };
  return (...flags) =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        [...flags, join(directory, 'cli/install.js')],
        { env },
        (error, _, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stderr });
        },
      );
    });
}

const INSTALLS = `mkdir -p node_modules/node/bin && touch node_modules/node/bin/node && node cli/link-bin.js`;

test('what is missing is installed once', async (t) => {
  const install = await clone(t, `echo "npm warn EBADENGINE" >&2; ${INSTALLS}`);
  const first = await install();
  equal(first.code, 0, first.stderr);
  match(first.stderr, /^Installing [^\n]+\nInstalled after \d+ s\n$/);
  ok(!first.stderr.includes('EBADENGINE'));
  equal((await install()).stderr, '');
});

test('a failure shows the last lines of npm, and one sentence', async (t) => {
  const install = await clone(t, 'echo "npm error code EUSAGE" >&2; exit 1');
  const { code, stderr } = await install();
  equal(code, 1);
  match(stderr, /npm error code EUSAGE\nmercer: npm ci failed[^\n]*\n$/);
});

test('a full disk and a missing npm have sentences of their own', async (t) => {
  const full = await clone(t, 'echo "npm error code ENOSPC" >&2; exit 1');
  match((await full()).stderr, /\nmercer: no disk space left [^\n]*\n$/);
  const without = await clone(t, undefined);
  match((await without()).stderr, /\nmercer: npm was not found [^\n]*\n$/);
});

test('an old Node is refused before anything is done', async (t) => {
  const install = await clone(t, INSTALLS);
  const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.2.0' } })`;
  const { code, stderr } = await install('--import', `data:text/javascript,${encodeURIComponent(old)}`);
  equal(code, 1);
  equal(stderr, 'mercer: Node.js 20 or newer is needed; this is 18.2.0\n');
});
