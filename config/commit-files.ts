/** Reads the configuration files of one commit. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { Clone } from './clone.ts';
import { isConfigFile } from './domain.ts';
import type { Files } from './domain.ts';
import { faulty, parseYaml } from './yaml-file.ts';
import type { ConfigFile } from './yaml-file.ts';

const MAX_FILES = 1_000;
const MAX_SIZE = 256 * 1024;

/** Reads and parses the files in a commit's root, other work between any two; rejects when there are too many. */
export async function readFiles(clone: Clone, commit: string): Promise<Files> {
  const entries = (await clone.entries(commit)).filter(({ name }) => isConfigFile(name));
  if (entries.length > MAX_FILES) throw new Error(`commit ${commit} has more than ${MAX_FILES} files`);
  const readable = entries.filter(({ size }) => size <= MAX_SIZE);
  const texts = await clone.texts(readable.map(({ oid }) => oid));
  const files = new Map<string, ConfigFile>();
  for (const [index, { name }] of readable.entries()) {
    files.set(name, parseYaml(name, texts[index] ?? ''));
    await breathe();
  }
  for (const { name, size } of entries)
    if (size > MAX_SIZE)
      files.set(name, faulty({ file: name, line: 0, reason: `larger than ${MAX_SIZE} bytes` }));
  return files;
}
