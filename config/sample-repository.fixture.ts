/** A git repository with a work tree for tests, which can be broken, forced, hidden and restored. */
import { execFile } from 'node:child_process';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A repository that its test writes to. */
export type SampleRepository = {
  directory: string;
  /** Writes files and commits them; resolves with the commit. */
  commit(files: Record<string, string>): Promise<string>;
  git(...args: string[]): Promise<string>;
  /** Moves it away, so that fetching fails. */
  hide(): Promise<void>;
  restore(): Promise<void>;
};

/** Makes a repository with one commit on main. */
export async function sampleRepository(
  directory: string,
  files: Record<string, string>,
): Promise<SampleRepository> {
  await mkdir(directory, { recursive: true });
  const git = async (...args: string[]): Promise<string> => {
    const author = [
      '-c',
      'user.name=test',
      '-c',
      'user.email=test@example.com',
      '-c',
      'commit.gpgsign=false',
    ];
    return (await run('git', ['-C', directory, ...author, ...args], { timeout: 10_000 })).stdout.trim();
  };
  const commit = async (changed: Record<string, string>): Promise<string> => {
    for (const [name, text] of Object.entries(changed)) await writeFile(join(directory, name), text);
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'change', '--allow-empty');
    return git('rev-parse', 'HEAD');
  };
  await git('init', '--quiet', '--initial-branch=main');
  await commit(files);
  const hidden = `${directory}.hidden`;
  return {
    directory,
    commit,
    git,
    hide: () => rename(directory, hidden),
    restore: () => rename(hidden, directory),
  };
}
