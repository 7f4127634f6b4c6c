/** Tells whether an event is from the acquirer: the header `t=UNIX,v1=HEX`, in the form that Stripe made common. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';

/** A request that proves itself. */
export type SignedBody = { body: Uint8Array; signature: string | undefined };

/** In seconds: how far its time may lie from now, before and after. */
const TOLERANCE = 300;
const TIME = /^\d{1,12}$/u;
const HEX_SHA256 = /^[0-9a-f]{64}$/u;

/**
 * Passes when one of the header's `v1` is the HMAC-SHA256 of `${t}.${body}` with the secret and `t` is at
 * most 5 minutes away; while a key is replaced, senders give one `v1` for each key. Parts of other names mean
 * nothing. Else, and always when the secret is empty, UNAUTHENTICATED with reason SIGNATURE_INVALID.
 */
export function verifySignature(
  { body, signature }: SignedBody,
  { secret, now }: { secret: string; now: Date },
): void {
  const parts = (signature ?? '').split(',').map(part);
  const times = valuesOf(parts, 't');
  const [time = ''] = times;
  if (secret === '' || times.length !== 1 || !TIME.test(time)) throw refused();
  if (Math.abs(now.getTime() / 1_000 - Number(time)) > TOLERANCE) throw refused();
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest();
  const given = valuesOf(parts, 'v1').filter((hex) => HEX_SHA256.test(hex));
  if (!given.some((hex) => timingSafeEqual(Buffer.from(hex, 'hex'), expected))) throw refused();
}

function part(text: string): [name: string, value: string] {
  const [name = '', ...value] = text.trim().split('=');
  return [name, value.join('=')];
}

function valuesOf(parts: [name: string, value: string][], wanted: string): string[] {
  return parts.filter(([name]) => name === wanted).map(([, value]) => value);
}

function refused(): StatusError {
  return new StatusError(
    status.UNAUTHENTICATED,
    'the signature is missing, wrong or not of these 5 minutes',
    {
      reason: 'SIGNATURE_INVALID',
    },
  );
}
