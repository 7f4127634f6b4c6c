/** Writes JSON so that a reader sees all of it or nothing. */
import { replaceFile, SECRET } from '#fabric/data/atomic-file.ts';

/** Replaces a file, readable by its owner alone. */
export function writeWholeJson(file: string, content: unknown): Promise<void> {
  return replaceFile(file, `${JSON.stringify(content, undefined, 2)}\n`, SECRET);
}
