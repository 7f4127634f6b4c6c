/** Drives the acquirer simulator over HTTP. */
import { SpanKind } from '@opentelemetry/api';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { injectHeaders, withSpan } from '#fabric/telemetry/tracing.ts';
import type { Acquirer, Charge } from './acquirer.ts';

/** Where the simulator is. */
export type SimulatorOptions = {
  /** Base URL, "http://127.0.0.1:9100". */
  url: string;
  /** How long one request may wait for its answer, in ms; read anew for each one. */
  timeout: () => number;
};

/** An acquirer behind the simulator's HTTP API. */
export function simulatorAcquirer(options: SimulatorOptions): Acquirer {
  return {
    charge: async ({ key, orderId, amount, token }, signal) => {
      const body = {
        amount: amount.minorUnits.toString(),
        currency: amount.currencyCode,
        orderId,
        token,
      };
      return readCharge(await exchange(options, { path: '/v1/charges', key, body }, signal));
    },
    findCharge: async (key, signal) => {
      const query = new URLSearchParams({ key });
      const found = await exchange(options, { path: '/v1/charges', query }, signal);
      return found === undefined ? undefined : readCharge(found);
    },
    void: async (chargeId, signal) => {
      const path = `/v1/charges/${encodeURIComponent(chargeId)}/void`;
      await exchange(options, { path, body: {} }, signal).catch(unlessDecided);
    },
    refund: async ({ key, chargeId, amount }, signal) => {
      const body = { chargeId, amount: amount.minorUnits.toString() };
      const answer = await exchange(options, { path: '/v1/refunds', key, body }, signal);
      if (!isObject(answer) || answer['status'] !== 'succeeded') throw unavailable('the answer is no refund');
    },
  };
}

type Exchange = { path: string; query?: URLSearchParams; key?: string; body?: object };

/** One request inside a span; the answer's JSON, undefined for 404. */
function exchange(options: SimulatorOptions, request: Exchange, signal: AbortSignal): Promise<unknown> {
  const method = request.body === undefined ? 'GET' : 'POST';
  const attributes = { 'http.request.method': method, 'url.path': request.path };
  return withSpan(
    `acquirer ${method} ${request.path}`,
    { kind: SpanKind.CLIENT, attributes },
    async (span) => {
      const response = await send(options, { ...request, method }, signal);
      span.setAttribute('http.response.status_code', response.code);
      return judge(response, method);
    },
  );
}

/** A charge that was captured or declined is not voidable; asking for it tells which. */
function unlessDecided(error: unknown): void {
  if (!(error instanceof StatusError && error.cause === NOT_VOIDABLE)) throw error;
}

const NOT_VOIDABLE = 'HTTP 422 charge_not_voidable';

type Answer = { code: number; json: unknown };

async function send(
  { url, timeout }: SimulatorOptions,
  request: Exchange & { method: string },
  signal: AbortSignal,
): Promise<Answer> {
  const { method, path, query, key } = request;
  const target = new URL(path, url);
  target.search = query?.toString() ?? '';
  try {
    const response = await fetch(target, {
      method,
      headers: injectHeaders({
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      }),
      body: request.body === undefined ? null : JSON.stringify(request.body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeout())]),
    });
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const body = await response.text();
    return { code: response.status, json: isJson ? JSON.parse(body) : undefined };
  } catch (error) {
    throw unavailable(error);
  }
}

/** Only a refused POST says that nothing happened; a question that is refused tells nothing of the charge. */
function judge({ code, json }: Answer, method: string): unknown {
  if (code === 200) return json;
  if (code === 404) return undefined;
  if (code >= 500 || code === 429 || method === 'GET') throw unavailable(`HTTP ${code}`);
  const why = isObject(json) ? matching(json['code'], /^\w{1,64}$/u) : '';
  if (why === 'token_unknown') {
    throw new StatusError(status.INVALID_ARGUMENT, 'the payment token is not known', {
      reason: 'PAYMENT_TOKEN_UNKNOWN',
    });
  }
  throw new StatusError(status.INTERNAL, 'the acquirer refused the request', {
    reason: 'ACQUIRER_REFUSED',
    cause: `HTTP ${code} ${why}`,
  });
}

function unavailable(cause: unknown): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the acquirer gave no answer', {
    reason: 'ACQUIRER_UNAVAILABLE',
    cause,
  });
}

/** Checks the shape, because it is a third party that speaks; an answer that makes no sense is no answer. */
function readCharge(json: unknown): Charge {
  if (!isObject(json)) throw unavailable('the answer is no object');
  const { id, status: outcome, declineReason, cardBrand, cardLast4 } = json;
  const chargeId = matching(id, /^[\x21-\x7e]{1,255}$/u);
  if (chargeId === '' || !isOutcome(outcome)) throw unavailable('the answer is no charge');
  return {
    id: chargeId,
    status: outcome,
    declineReason: outcome === 'declined' ? readReason(declineReason) : '',
    cardBrand: matching(cardBrand, /^[\w -]{1,32}$/u),
    cardLast4: matching(cardLast4, /^\d{4}$/u),
  };
}

const OUTCOMES: ReadonlySet<unknown> = new Set<Charge['status']>([
  'succeeded',
  'declined',
  'pending',
  'under_review',
  'voided',
]);

function isOutcome(value: unknown): value is Charge['status'] {
  return OUTCOMES.has(value);
}

/** Reasons that the contract does not know are told as the general one. */
function readReason(value: unknown): Charge['declineReason'] {
  return value === 'insufficient_funds' || value === 'expired_card' ? value : 'card_declined';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function matching(value: unknown, pattern: RegExp): string {
  return typeof value === 'string' && pattern.test(value) ? value : '';
}
