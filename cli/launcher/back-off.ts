/** How long a process that ended waits for its next start. */

const SHORTEST = 500;
const LONGEST = 10_000;
/** A process that served this long, in ms, has its earlier failures forgotten. */
const FORGIVEN_AFTER = 30_000;

/** Wait in ms after a number of failures in a row: 0.5, 1, 2, 4, 8, 10, 10 ... seconds. */
export function backOff(failures: number): number {
  return Math.min(SHORTEST * 2 ** Math.max(0, failures - 1), LONGEST);
}

/** Failures in a row, this one included. */
export function countFailure(before: number, livedFor: number): number {
  return livedFor >= FORGIVEN_AFTER ? 1 : before + 1;
}
