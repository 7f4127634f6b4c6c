/** Says whether node_modules is what package-lock.json asks for, and where the pinned Node lies. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Holds the hash of the lock file that was installed; written by postinstall, so after everything else. */
export const MARKER = join(ROOT, 'node_modules/.mercer-installed');

/** The Node that package.json pins. */
export const PINNED_NODE = join(ROOT, 'node_modules/node/bin/node');

export function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
}

export function isInstalled() {
  if (!existsSync(MARKER) || !existsSync(PINNED_NODE)) return false;
  return readFileSync(MARKER, 'utf8').trim() === lockHash();
}
