/** Tells whoever asked for it that a charge was decided later: a signed event over HTTP. */
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Charge } from './domain.ts';

/** Where events go. */
export type EventOptions = {
  url: string;
  /** Key of the signature. */
  secret: string;
  log: Logger;
  clock: () => Date;
  /** Ends all attempts. */
  over: AbortSignal;
};

/** Waits in ms between attempts; after the last one the event is given up. */
const BACK_OFF = [500, 1_000, 2_000, 4_000, 8_000];
const LONGEST_ATTEMPT = 5_000;

/**
 * Posts `{id, type: "charge.succeeded", time, charge}` until it is answered 2xx, six times at most, each time with the
 * same id; never rejects.
 */
export async function sendChargeEvent(charge: Charge, { clock, ...options }: EventOptions): Promise<void> {
  const { id, status, amount, currency, orderId, key } = charge;
  const body = JSON.stringify({
    id: `evt_${id}`,
    type: `charge.${status}`,
    time: clock().toISOString(),
    charge: { id, key, status, amount, currency, orderId },
  });
  for (const wait of [...BACK_OFF, undefined]) {
    if (await attempt(body, { clock, ...options })) return;
    if (wait === undefined || options.over.aborted) break;
    await sleep(wait, undefined, { signal: options.over }).catch(() => undefined);
  }
  options.log.warn({ event: 'charge_event_undelivered', chargeId: id }, 'an event was not delivered');
}

async function attempt(
  body: string,
  { url, secret, clock, over }: Omit<EventOptions, 'log'>,
): Promise<boolean> {
  const seconds = Math.floor(clock().getTime() / 1_000);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'mercer-signature': signature({ seconds, body, secret }),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.any([over, AbortSignal.timeout(LONGEST_ATTEMPT)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** The header `t=UNIX,v1=HEX`: HMAC-SHA256 over `${t}.${body}`, the form that Stripe made common. */
export function signature({
  seconds,
  body,
  secret,
}: {
  seconds: number;
  body: string;
  secret: string;
}): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}
