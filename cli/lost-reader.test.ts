/** Tries words whose reader leaves before they have said everything. */
import { deepEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from './root.ts';

const data = await mkdtemp(join(tmpdir(), 'mercer-reader-'));
after(() => rm(data, { recursive: true, force: true }));
await mkdir(join(data, 'logs'));
await writeFile(join(data, 'logs/order-1.log'), '{"event":"a_line"}\n'.repeat(50_000));

for (const words of [
  ['up', '--help'],
  ['logs', '--lines', '50000', '--data', data],
  ['logs', '--follow', '--lines', '50000', '--data', data],
]) {
  test(
    `mercer ${words.slice(0, 2).join(' ')} ends quietly when nobody reads on`,
    { timeout: 30_000 },
    async () => {
      const child = spawn(process.execPath, [join(ROOT, 'cli/main.ts'), ...words], { timeout: 15_000 });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.stdout.destroy();
      const [code] = (await once(child, 'close')) as [number | null];
      deepEqual({ code, stderr }, { code: 0, stderr: '' });
    },
  );
}
