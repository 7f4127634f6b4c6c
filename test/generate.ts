/** Generates gen/ from the contracts; with --check compares instead, and says what differs. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const BUF = join(ROOT, 'node_modules/.bin/buf');

const fresh = mkdtempSync(join(tmpdir(), 'mercer-gen-'));
try {
  generateInto(fresh);
  if (process.argv.includes('--check')) {
    const drift = differences(join(fresh, 'gen'), join(ROOT, 'gen'));
    for (const file of drift)
      console.error(`gen/${file} is not what the contracts give; run npm run generate`);
    process.exitCode = drift.length === 0 ? 0 : 1;
  } else {
    rmSync(join(ROOT, 'gen'), { recursive: true, force: true });
    cpSync(join(fresh, 'gen'), join(ROOT, 'gen'), { recursive: true });
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function generateInto(directory: string): void {
  buf('generate', '-o', directory);
  const set = join(directory, 'gen/mercer.binpb');
  buf('build', '-o', set, '--as-file-descriptor-set', '--exclude-source-info');
}

function buf(...parameters: string[]): void {
  execFileSync(BUF, parameters, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], timeout: 120_000 });
}

function differences(left: string, right: string): string[] {
  const names = new Set([...filesBelow(left), ...filesBelow(right)]);
  return [...names].filter((name) => read(join(left, name)) !== read(join(right, name))).toSorted();
}

function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
