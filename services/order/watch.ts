/** Follows an order from now to the end of its purchase. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import type { Order } from './domain.ts';

/** Between two looks at the order, in ms. */
const LOOK_AGAIN = 250;

/** The order at once, then after each change, until it is no longer PENDING, the caller leaves or its deadline passes. */
export async function* watch(
  first: Order,
  look: () => Promise<Order | undefined>,
  call: CallContext,
): AsyncIterable<Order> {
  let seen = first;
  yield seen;
  while (seen.state === 'PENDING' && Date.now() < call.deadline.getTime()) {
    if (!(await pause(call.signal))) return;
    const now = await look();
    if (now === undefined) return;
    if (now.updateTime.getTime() === seen.updateTime.getTime() && now.state === seen.state) continue;
    seen = now;
    yield seen;
  }
}

/** False when the caller has left. */
async function pause(signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(LOOK_AGAIN, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
