/** Runs after npm's own work: links node_modules/.bin/mercer and notes what was installed. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockHash, MARKER, ROOT } from './installation.js';

// npm links the bins of dependencies, but not the root package's own.
try {
  const link = join(ROOT, 'node_modules/.bin/mercer');
  mkdirSync(join(ROOT, 'node_modules/.bin'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync('../../cli/mercer.js', link);
  chmodSync(join(ROOT, 'cli/mercer.js'), 0o755);
} catch {
  // A file system without links or modes: `node cli/mercer.js` works there all the same.
}

// An installation without the development packages is complete for a container, not for `mercer up`.
if (!(process.env.npm_config_omit ?? '').includes('dev')) writeFileSync(MARKER, `${lockHash()}\n`);
