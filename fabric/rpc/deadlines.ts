/** How long calls may last: defaults by kind, and what a forwarded call has left. */

/** Default of a call without side effects, in ms. */
export const READ_TIMEOUT = 2_000;
/** Default of any other unary call, in ms. */
export const WRITE_TIMEOUT = 10_000;
/** The longest that a server lets a unary call ask for, in ms. */
export const MAX_TIMEOUT = 30_000;
/** What a hop keeps for itself of its caller's time, in ms. */
export const HOP_BUDGET = 50;

/** The deadline of an outgoing call: its own timeout, never later than the caller's deadline less the hop budget. */
export function outgoingDeadline(timeout: number, parent: Date | undefined, now: number = Date.now()): Date {
  const own = now + timeout;
  return new Date(parent === undefined ? own : Math.min(own, parent.getTime() - HOP_BUDGET));
}

/** The deadline of an incoming unary call: what the client asked for up to MAX_TIMEOUT, else the default of its kind. */
export function incomingDeadline(
  asked: Date | number,
  sideEffectFree: boolean,
  now: number = Date.now(),
): Date {
  const time = typeof asked === 'number' ? asked : asked.getTime();
  if (!Number.isFinite(time)) return new Date(now + (sideEffectFree ? READ_TIMEOUT : WRITE_TIMEOUT));
  return new Date(Math.min(time, now + MAX_TIMEOUT));
}
