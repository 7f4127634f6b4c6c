/** Durations as people write them: `250ms`, `4s`, `2m`, `1h`. */

const UNITS = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** Reads a whole number with a unit, such as `4s`, as milliseconds; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})(h|m|s|ms)$/.exec(text) ?? [];
  if (amount === undefined || !isUnit(unit)) return undefined;
  return Number(amount) * UNITS[unit];
}

/** Writes whole milliseconds with the largest unit that leaves no remainder; parseDuration reads it back. */
export function formatDuration(milliseconds: number): string {
  const [unit, size] = Object.entries(UNITS).find(([, length]) => milliseconds % length === 0) ?? ['ms', 1];
  return milliseconds === 0 ? '0s' : `${milliseconds / size}${unit}`;
}

function isUnit(text: string | undefined): text is keyof typeof UNITS {
  return text !== undefined && Object.hasOwn(UNITS, text);
}
