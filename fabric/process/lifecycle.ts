/** How a process ends: by a signal, by a failed start, or by a defect. */
import { SettingsError } from '../settings/settings.ts';
import { createLogger } from '../telemetry/logger.ts';

/** sysexits.h EX_CONFIG: a setting is wrong, and starting again will not help. */
const EX_CONFIG = 78;
/** An orderly end that takes longer than this, in ms, is cut short. */
const LONGEST_END = 10_000;

/** Resolves with the first SIGTERM or SIGINT; a second one, or 10 s, ends the process at once. */
export function onSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const first = (signal: NodeJS.Signals): void => {
      for (const name of ['SIGTERM', 'SIGINT'] as const)
        process.off(name, first).on(name, () => process.exit(1));
      setTimeout(() => process.exit(1), LONGEST_END).unref();
      resolve(signal);
    };
    process.on('SIGTERM', first).on('SIGINT', first);
  });
}

/** Logs why a process could not start, in one line, and ends it: 78 for a wrong setting, else 1. */
export function failStart(name: string, error: unknown): never {
  const log = createLogger({ service: name, instance: name, level: 'info' });
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof SettingsError) {
    log.fatal({ event: 'wrong_setting' }, message);
    process.exit(EX_CONFIG);
  }
  log.fatal({ event: 'start_failed', err: error }, `${name} could not start: ${message}`);
  process.exit(1);
}
