/** The acquirer's HTTP interface: JSON, an idempotency key on every request that moves money. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { withHttpServerSpan } from '#fabric/telemetry/tracing.ts';
import { HttpError } from '../stand-in/http-error.ts';
import { json, readObject, readText } from '../stand-in/json.ts';
import type { Handler, HttpAnswer, HttpRequest, Routes } from '../stand-in/router.ts';
import type { Acquirer } from './acquirer.ts';
import type { Charge } from './domain.ts';
import { Refused } from './refused.ts';
import type { Refusal } from './refused.ts';

const AMOUNT = /^[1-9]\d{0,14}$/u;
const CURRENCY = /^[A-Z]{3}$/u;
const ID = /^[\w.:-]{1,128}$/u;
const TOKEN = /^[\x21-\x7e]{1,255}$/u;
const KEY = /^[\x20-\x7e]{1,255}$/u;

/** How long an answer that never comes is not given, in ms, before the connection is cut. */
const LONGEST_SILENCE = 120_000;

/** `GET /ledger` is what audits compare their books with. */
export function acquirerRoutes(acquirer: Acquirer): Routes {
  return traced({
    'POST /v1/charges': async (request) => {
      const charge = await acquirer.charge(readCharge(request));
      return charge === 'nothing' ? silence(request) : json(chargeJson(charge));
    },
    'GET /v1/charges': async ({ query }) => json(chargeJson(await acquirer.find(query.get('key') ?? ''))),
    'POST /v1/charges/:id/void': async ({ params }) =>
      json(chargeJson(await acquirer.void(params['id'] ?? ''))),
    'POST /v1/refunds': async (request) => {
      const { id, chargeId, amount, currency, time } = await acquirer.refund(readRefund(request));
      return json({ id, status: 'succeeded', chargeId, amount, currency, time });
    },
    'GET /ledger': async () => json({ entries: await acquirer.movements() }),
  });
}

function traced(routes: Routes): Routes {
  const entries = Object.entries(routes).map(([route, handler]): [string, Handler] => {
    const [method = '', path = ''] = route.split(' ');
    const answer: Handler = (request) =>
      withHttpServerSpan({ method, route: path, headers: request.headers }, async (span) => {
        const answered = await answerOf(handler, request);
        if (answered !== 'nothing') span.setAttribute('http.response.status_code', answered.status);
        return answered;
      });
    return [route, answer];
  });
  return Object.fromEntries(entries);
}

async function answerOf(handler: Handler, request: HttpRequest): Promise<HttpAnswer | 'nothing'> {
  try {
    return await handler(request);
  } catch (error) {
    if (error instanceof Refused) return refusal(error.why);
    throw error;
  }
}

const REFUSALS: Readonly<Record<Refusal, [status: number, message: string]>> = {
  token_unknown: [400, 'no such payment token was issued'],
  unavailable: [503, 'out of order; nothing was begun'],
  key_reused: [409, 'this idempotency key was used for another request'],
  charge_unknown: [404, 'there is no such charge'],
  refund_exceeds_capture: [422, 'more than what is left of the captured amount'],
  charge_not_voidable: [422, 'the charge was captured or declined'],
};

function refusal(why: Refusal): HttpAnswer {
  const [status, message] = REFUSALS[why];
  return {
    ...json({ code: why, message }, status),
    ...(status === 503 ? { headers: { 'retry-after': '1' } } : {}),
  };
}

async function silence({ over }: HttpRequest): Promise<'nothing'> {
  await sleep(LONGEST_SILENCE, undefined, { signal: over });
  return 'nothing';
}

function readCharge(request: HttpRequest): Parameters<Acquirer['charge']>[0] {
  const body = readObject(request.body);
  const charge = {
    amount: readText(body, 'amount', AMOUNT),
    currency: readText(body, 'currency', CURRENCY),
    orderId: readText(body, 'orderId', ID),
    token: readText(body, 'token', TOKEN),
  };
  return { ...charge, key: readKey(request), fingerprint: fingerprint(Object.values(charge)) };
}

function readRefund(request: HttpRequest): Parameters<Acquirer['refund']>[0] {
  const body = readObject(request.body);
  const refund = { chargeId: readText(body, 'chargeId', ID), amount: readText(body, 'amount', AMOUNT) };
  return { ...refund, key: readKey(request), fingerprint: fingerprint(Object.values(refund)) };
}

function readKey({ headers }: HttpRequest): string {
  const key = headers['idempotency-key'];
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new HttpError(400, 'key_invalid', {
    message: 'Idempotency-Key must be 1 to 255 printable characters',
  });
}

/** Keeps the payment token itself out of the ledger. */
function fingerprint(values: string[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('base64url');
}

function chargeJson(charge: Charge): object {
  const { id, status, declineReason, amount, currency, orderId, cardBrand, cardLast4, refunded, time } =
    charge;
  const card = { cardBrand, cardLast4 };
  return {
    id,
    status,
    declineReason,
    ...card,
    amount,
    currency,
    orderId,
    amountRefunded: String(refunded),
    time,
  };
}
