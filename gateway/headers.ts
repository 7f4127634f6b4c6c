/** The request headers that mean something; no other one crosses. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Metadata } from '@grpc/grpc-js';
import type { Plan } from './plan.ts';
import { invalidHeader } from './refusals.ts';

/** The longest that Grpc-Timeout may ask for, in ms. */
export const LONGEST_TIMEOUT = 30_000;

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/u;
/** 1 to 255 printable ASCII characters. */
const IDEMPOTENCY_KEY = /^[\x20-\x7E]{1,255}$/u;
/** gRPC over HTTP/2, "Timeout": at most 8 digits and a unit. */
const TIMEOUT = /^(?<amount>\d{1,8})(?<unit>[HMSmun])$/u;
const MILLISECONDS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};
/** entity-tag of RFC 9110, section 8.8.3; the quotes may be missing. */
const ENTITY_TAG = /^(?:W\/)?(?:"(?<quoted>[\x21\x23-\x7E]*)"|(?<bare>[\x21\x23-\x2B\x2D-\x7E]+))$/u;
/** Headers with which a request proves itself, for the routes that ask for it. */
const SIGNATURES = ['mercer-signature', 'stripe-signature'];

/** The client's X-Request-Id when it is fit for logs and headers, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = single(request, 'x-request-id');
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Idempotency-Key; undefined without one, and where the method takes none. */
export function idempotencyKey(request: IncomingMessage, { requestId }: Plan): string | undefined {
  const given = request.headersDistinct['idempotency-key'];
  if (requestId === undefined || given === undefined) return undefined;
  const [key = ''] = given;
  if (given.length === 1 && IDEMPOTENCY_KEY.test(key)) return key;
  throw invalidHeader('Idempotency-Key', 'must be one key of 1 to 255 printable ASCII characters');
}

/** The etag of If-Match; undefined without one, for `*`, and where the method compares none. */
export function ifMatch(request: IncomingMessage, { etag }: Plan): string | undefined {
  const given = request.headersDistinct['if-match'];
  if (etag === undefined || given === undefined || given.join() === '*') return undefined;
  const tag = ENTITY_TAG.exec(given.join())?.groups;
  const value = tag?.['quoted'] ?? tag?.['bare'];
  if (value === undefined) throw invalidHeader('If-Match', 'must be one entity tag');
  return value;
}

/** Grpc-Timeout in ms, at most 30 s; undefined without one. */
export function timeoutOf(request: IncomingMessage): number | undefined {
  const given = request.headersDistinct['grpc-timeout'];
  if (given === undefined) return undefined;
  const { amount, unit } = TIMEOUT.exec(given.join())?.groups ?? {};
  if (amount === undefined || unit === undefined)
    throw invalidHeader('Grpc-Timeout', 'must be up to 8 digits and one of H, M, S, m, u, n');
  return Math.min(Number(amount) * (MILLISECONDS[unit] ?? 1), LONGEST_TIMEOUT);
}

/** What the upstream call carries; the trace context is added by the instrumentation. */
export function upstreamMetadata(
  request: IncomingMessage,
  { plan, token, requestId }: { plan: Plan; token: string | undefined; requestId: string },
): Metadata {
  const metadata = new Metadata();
  metadata.set('x-request-id', requestId);
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  for (const name of plan.signed ? SIGNATURES : []) {
    const value = single(request, name);
    // gRPC metadata is printable ASCII; no signature is anything else.
    if (value !== undefined && /^[\x20-\x7E]*$/u.test(value)) metadata.set(name, value);
  }
  return metadata;
}

/** A header that came exactly once. */
export function single(request: IncomingMessage, name: string): string | undefined {
  const values = request.headersDistinct[name];
  return values?.length === 1 ? values[0] : undefined;
}
