/** The files that processes write to. */
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A larger log is set aside when its fabric starts; the one before it goes. */
const LARGEST = 10 * 1024 * 1024;

/** The folder of all logs, made when it is missing. */
export async function openLogs(data: string): Promise<string> {
  const directory = join(data, 'logs');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** The log of a process. */
export function logFileOf(logs: string, name: string): string {
  return join(logs, `${name}.log`);
}

/** Sets a large log aside as NAME.log.1. */
export async function rotate(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (file) => file.size,
    () => 0,
  );
  if (size > LARGEST) await rename(logFile, `${logFile}.1`);
}
