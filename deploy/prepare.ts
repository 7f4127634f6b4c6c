/** Run once by docker-compose.yml: makes certificates for MERCER_SERVICES and a git repository of config-repo/. */
import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openAuthority } from '../fabric/identity/pki.ts';

/** The user that the image's processes run as. */
const NODE_USER = 1000;
const LONGEST_GIT = 30_000;

const [folder = '/prepared'] = process.argv.slice(2);
const services = (process.env['MERCER_SERVICES'] ?? '').split(',').filter((name) => name !== '');

await issueAll(join(folder, 'pki'));
prepareRepository(join(folder, 'config-repo'));

async function issueAll(dir: string): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const authority = await openAuthority(join(folder, 'authority'));
  for (const service of services) await authority.issue(`svc/${service}`, { dir, days: 30 });
  cpSync(authority.caFile, join(dir, 'ca.pem'));
  for (const file of readdirSync(dir)) chownSync(join(dir, file), NODE_USER, NODE_USER);
}

function prepareRepository(dir: string): void {
  if (existsSync(join(dir, '.git'))) return;
  cpSync(join(import.meta.dirname, '../config-repo'), dir, { recursive: true });
  git(dir, 'init', '--quiet', '--initial-branch=main');
  git(dir, 'add', '--all');
  git(
    dir,
    '-c',
    'user.name=mercer',
    '-c',
    'user.email=mercer@localhost',
    'commit',
    '--quiet',
    '-m',
    'Sample configuration',
  );
  execFileSync('chown', ['-R', `${NODE_USER}:${NODE_USER}`, dir], { timeout: LONGEST_GIT });
}

function git(cwd: string, ...parameters: string[]): void {
  execFileSync('git', parameters, { cwd, stdio: 'inherit', timeout: LONGEST_GIT });
}
