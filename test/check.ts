/** Runs every check that needs no running process: format, lint, types, contracts, drift, boundaries. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'node_modules/.bin');
const LONGEST = 300_000;

type Check = { name: string; command: string[] };

const CHECKS: Check[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'contract format', command: ['buf', 'format', '--diff', '--exit-code'] },
  { name: 'contract lint', command: ['buf', 'lint'] },
  ...breaking(),
  { name: 'generated code', command: ['node', 'test/generate.ts', '--check'] },
  { name: 'boundaries', command: ['node', '--test', 'test/boundaries.test.ts'] },
];

const failed = CHECKS.filter((check) => !passes(check));
console.log(
  failed.length === 0
    ? `${CHECKS.length} checks passed`
    : `failed: ${failed.map(({ name }) => name).join(', ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

function passes({ name, command: [program = '', ...parameters] }: Check): boolean {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(join(BIN, program), parameters, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: LONGEST,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (status !== 0) console.log(`${stdout}${stderr}`);
  return status === 0;
}

/** Compares with the branch that others build on; there is nothing to break before it has contracts. */
function breaking(): Check[] {
  const base = ['origin/main', 'main'].find((branch) => git('cat-file', '-e', `${branch}:proto`));
  if (base !== undefined && existsSync(join(ROOT, '.git'))) {
    return [
      {
        name: `contract breaking against ${base}`,
        command: ['buf', 'breaking', '--against', `.git#branch=${base}`],
      },
    ];
  }
  console.log('skip   contract breaking: neither origin/main nor main has proto/');
  return [];
}

function git(...parameters: string[]): boolean {
  return spawnSync('git', parameters, { cwd: ROOT, stdio: 'ignore' }).status === 0;
}
