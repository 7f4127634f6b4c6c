/** Brings what oidc-provider writes to the console into the log. */
import type { Logger } from '#fabric/telemetry/logger.ts';

/**
 * oidc-provider 9 warns through the console, from its import on, of what is right for a development machine: an
 * in-memory adapter, a Node.js that is not yet LTS. From now on `console.info` and `console.warn` are debug lines.
 */
export function logLibraryNotices(log: Logger): void {
  const note = (...words: unknown[]): void =>
    log.debug({ event: 'library_notice' }, words.map(String).join(' '));
  Object.assign(console, { info: note, warn: note });
}
