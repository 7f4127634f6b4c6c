/** What the log says of the repository. */
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Files } from './domain.ts';

/** A commit that became the one to serve. */
export type Published = { label: string; version: string; forced: boolean; files: Files };

/** The default label leads to a new commit; each file of it that cannot be used is an error line of its own. */
export function logPublished(log: Logger, { label, version, forced, files }: Published): void {
  log.info({ event: 'config_published', label, version, forced }, 'configuration published');
  for (const { fault } of files.values()) {
    if (fault === undefined) continue;
    const { file, line, reason } = fault;
    log.error({ event: 'config_file_rejected', version, file, line, reason }, 'configuration file rejected');
  }
}

/** Fetching fails, for the first time since it succeeded. */
export function logFailure(log: Logger, repository: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  log.warn(
    { event: 'config_repository_away', repository, reason },
    'configuration repository cannot be read',
  );
}

/** Fetching works again. */
export function logRecovery(log: Logger, repository: string): void {
  log.info({ event: 'config_repository_back', repository }, 'configuration repository can be read again');
}
