/** The local git repository that central configuration is read from, made out of config-repo/ once. */
import { execFile } from 'node:child_process';
import { access, cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CommandError } from '../command-error.ts';
import { ROOT } from '../root.ts';

const run = promisify(execFile);
/** One git command on a small repository, in ms. */
const TIMEOUT = 20_000;

/** Returns the repository's folder; what was committed there before stays as it is. */
export async function openConfigRepository(data: string): Promise<string> {
  const directory = join(data, 'config-repo');
  if (await exists(join(directory, '.git'))) return directory;
  // Made aside and renamed, so that a start that is cut short leaves no half repository.
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(join(ROOT, 'config-repo'), unfinished, { recursive: true });
  await git(unfinished, 'init', '--quiet', '--initial-branch=main', '--template=');
  await git(unfinished, 'config', 'user.name', 'Mercer');
  await git(unfinished, 'config', 'user.email', 'mercer@localhost');
  await git(unfinished, 'config', 'commit.gpgsign', 'false');
  await git(unfinished, 'add', '--all');
  await git(
    unfinished,
    'commit',
    '--quiet',
    '--allow-empty',
    '--message',
    'Start from the sample configuration',
  );
  await rename(unfinished, directory);
  return directory;
}

async function git(directory: string, ...args: string[]): Promise<void> {
  try {
    await run('git', args, { cwd: directory, timeout: TIMEOUT, env: outsideAnyRepository() });
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT')
      throw new CommandError('git was not found on PATH; the configuration needs it', { cause: error });
    throw new CommandError(`git ${args[0]} failed in ${directory}: ${stderr?.trim() ?? ''}`, {
      cause: error,
    });
  }
}

/** Inside a git hook, GIT_DIR and its like would lead git to the repository that the hook runs in. */
function outsideAnyRepository(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return Object.fromEntries(entries);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
