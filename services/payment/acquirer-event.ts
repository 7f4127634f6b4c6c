/** Takes events of the acquirer. An event is a hint to ask the acquirer, whose answer alone decides. */
import { badRequest } from '#fabric/rpc/status-error.ts';
import { verifySignature } from './event-signature.ts';
import type { SignedBody } from './event-signature.ts';
import type { RecoveryQueue } from './recovery-queue.ts';
import { orderOf } from './settle.ts';

/** What taking events stands on. */
export type EventOptions = {
  queue: RecoveryQueue;
  /** Key of the signatures; empty takes no events. */
  eventSecret: string;
  clock: () => Date;
  /** Has the payments that became due looked at. */
  wake: () => void;
};

/**
 * Takes an event, each id once; it is durable when this resolves, in any order and however often it is
 * delivered. Types that are not known are taken and mean nothing. UNAUTHENTICATED with reason
 * SIGNATURE_INVALID; INVALID_ARGUMENT for a signed body that is no event.
 */
export async function takeAcquirerEvent(
  { queue, eventSecret, clock, wake }: EventOptions,
  event: SignedBody,
): Promise<void> {
  verifySignature(event, { secret: eventSecret, now: clock() });
  const { id, orderId } = readEvent(event.body);
  if ((await queue.takeEvent({ id, orderId })) && orderId !== undefined) wake();
}

function readEvent(body: Uint8Array): { id: string; orderId: string | undefined } {
  const event = parsed(body);
  if (!isObject(event)) throw badRequest('event', 'must be a JSON object');
  const { id, type, charge } = event;
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,255}$/u.test(id))
    throw badRequest('event', 'id must be 1 to 255 printable ASCII characters');
  if (typeof type !== 'string') throw badRequest('event', 'type must be a text');
  if (!type.startsWith('charge.')) return { id, orderId: undefined };
  if (!isObject(charge) || typeof charge['key'] !== 'string')
    throw badRequest('event', 'charge.key must be a text');
  return { id, orderId: orderOf(charge['key']) };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw badRequest('event', 'must be JSON in UTF-8');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
