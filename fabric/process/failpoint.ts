/** Named lines at which a process can be made to crash, hang or fail, so that tests can see what survives it. */
import type { Failpoint } from '../settings/setting-kind.ts';
import { SettingsError } from '../settings/settings-error.ts';

/** How the process ends at a failpoint of its own; no other end has this code. */
export const FAILPOINT_EXIT = 86;

const armed = new Map<string, Failpoint & { passages: number }>();

/**
 * Sets failpoints, in place of those set before. SettingsError when there are any and chaos is not allowed:
 * they are for tests alone.
 */
export function armFailpoints(failpoints: readonly Failpoint[], chaos: boolean): void {
  armed.clear();
  if (failpoints.length > 0 && !chaos)
    throw new SettingsError('failpoint', 'failpoint is given, but failpoints act only with MERCER_CHAOS=1');
  for (const point of failpoints) armed.set(point.name, { ...point, passages: 0 });
}

/**
 * The line of this name, such as `order.after_charge`. Nothing unless it was set: then the process ends
 * with code 86, the line is never left, or it throws.
 */
export async function failpoint(name: string): Promise<void> {
  const point = armed.get(name);
  if (point === undefined) return;
  point.passages += 1;
  if (point.pass !== undefined && point.pass !== point.passages) return;
  switch (point.act) {
    case 'exit':
      return process.exit(FAILPOINT_EXIT);
    case 'hang':
      return new Promise<never>(() => undefined);
    case 'throw':
      throw new Error(`failpoint ${name}`);
  }
}
