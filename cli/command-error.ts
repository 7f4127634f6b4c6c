/** A failure that the user of the command line is told in one sentence. */
import { FAILED } from './exit-codes.ts';

/** The message is printed as it is, without a stack; `exitCode` is what the shell gets (default 1). */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CommandError';
    this.exitCode = options.exitCode ?? FAILED;
  }
}

/** The message of anything thrown, with the usual system errors put into words. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CommandError) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return `no disk space left${path === undefined ? '' : ` for ${path}`}`;
  if (code === 'EACCES' || code === 'EPERM') return `no permission: ${path ?? error.message}`;
  return error.message;
}
