/** The config server's own bare clone of the repository: what is fetched stays readable while git is away. */
import { createHash } from 'node:crypto';
import { glob, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gitIn } from './git.ts';
import type { Git } from './git.ts';

/** A file of a commit's root. */
export type TreeEntry = { name: string; oid: string; size: number };

/** A bare clone. Everything but fetch works on local objects alone. */
export type Clone = {
  /** Takes over all branches and tags, forced updates and deletions included. */
  fetch(options: { timeout: number; signal: AbortSignal }): Promise<void>;
  /** The commit of each branch and tag; a branch hides a tag of its name. */
  heads(): Promise<Map<string, string>>;
  /** The commit that a full or shortened id names. */
  commit(id: string): Promise<string | undefined>;
  /** The regular files in a commit's root; links and folders are left out. */
  entries(commit: string): Promise<TreeEntry[]>;
  /** The texts of files, in the order asked. */
  texts(oids: readonly string[]): Promise<string[]>;
  /** Up to 50 commits before one, newest first, along first parents. */
  before(commit: string): Promise<string[]>;
  /** Whether a commit leads to another one: not so after a force push. */
  leadsTo(older: string, newer: string): Promise<boolean>;
};

const REFSPECS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
const HISTORY = 50;

/** Opens the clone of a URL below a folder, making an empty one at first. Each URL has its own. */
export async function openClone(url: string, folder: string): Promise<Clone> {
  const name = createHash('sha256').update(url).digest('hex').slice(0, 16);
  const directory = join(folder, `config-repository-${name}.git`);
  await mkdir(folder, { recursive: true });
  const git = gitIn(directory);
  await git(['init', '--quiet', '--bare', '--initial-branch=main']);
  return {
    fetch: async (options) => {
      await removeLocks(directory);
      await git(['fetch', '--quiet', '--prune', '--no-write-fetch-head', '--', url, ...REFSPECS], options);
    },
    heads: () => readHeads(git),
    commit: async (id) => {
      const answer = await git(['cat-file', '--batch-check'], { input: `${id}^{commit}\n` });
      return /^([0-9a-f]+) commit /.exec(answer.toString())?.[1];
    },
    entries: (commit) => readEntries(git, commit),
    texts: async (oids) =>
      oids.length === 0 ? [] : splitBatch(await git(['cat-file', '--batch'], { input: oids.join('\n') })),
    before: async (commit) =>
      lines(await git(['rev-list', '--first-parent', '--skip=1', `--max-count=${HISTORY}`, commit])),
    leadsTo: async (older, newer) =>
      lines(await git(['rev-list', '--max-count=1', older, `^${newer}`])).length === 0,
  };
}

/** A killed git leaves lock files that would refuse every later fetch; nobody else writes to this clone. */
async function removeLocks(directory: string): Promise<void> {
  for await (const file of glob(['*.lock', 'refs/**/*.lock'], { cwd: directory }))
    await rm(join(directory, file), { force: true });
}

async function readHeads(git: Git): Promise<Map<string, string>> {
  const format = '--format=%(refname) %(objectname) %(*objectname)';
  const refs = lines(await git(['for-each-ref', format, 'refs/tags', 'refs/heads']));
  const heads = new Map<string, string>();
  for (const ref of refs.sort(tagsFirst)) {
    const [name = '', object = '', peeled = ''] = ref.split(' ');
    heads.set(name.replace(/^refs\/(heads|tags)\//, ''), peeled === '' ? object : peeled);
  }
  return heads;
}

function tagsFirst(one: string, other: string): number {
  return Number(other.startsWith('refs/tags/')) - Number(one.startsWith('refs/tags/'));
}

/** Lines of `ls-tree -z --long`: mode, type, object, size, a tab and the name. */
async function readEntries(git: Git, commit: string): Promise<TreeEntry[]> {
  const listing = (await git(['ls-tree', '-z', '--long', commit])).toString();
  return [...listing.matchAll(/100(?:644|755) blob ([0-9a-f]+) +(\d+)\t([^\0]+)\0/g)].map(
    ([, oid = '', size, name = '']) => ({ name, oid, size: Number(size) }),
  );
}

/** Splits `cat-file --batch` output: for each object a line with its size, then its bytes and a line end. */
function splitBatch(output: Buffer): string[] {
  const texts: string[] = [];
  let offset = 0;
  while (offset < output.length) {
    const head = output.indexOf(10, offset) + 1;
    const [, size] = / blob (\d+)$/.exec(output.toString('latin1', offset, head - 1)) ?? [];
    if (size === undefined) throw new Error('git cat-file: an object is missing');
    texts.push(output.toString('utf8', head, head + Number(size)));
    offset = head + Number(size) + 1;
  }
  return texts;
}

function lines(output: Buffer): string[] {
  return output
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}
