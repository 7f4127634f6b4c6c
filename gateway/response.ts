/** Makes the HTTP answer of a plan out of the upstream answer: body, status, Location, ETag, caching. */
import { fromBinary } from '@bufbuild/protobuf';
import type { DescField } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import type { Answer } from './answer.ts';
import { fieldNamed } from './fields.ts';
import type { JsonWriter } from './json-write.ts';
import { encodeSegment } from './percent.ts';
import type { Plan } from './plan.ts';
import { isHttpBody } from './request.ts';

/** Conditions of a request, as node:http gives its headers. */
export type Conditions = { method: string; ifNoneMatch: string | undefined };

/** Makes the answer to one upstream message. */
export type ResponseBuilder = (bytes: Uint8Array, conditions: Conditions) => Answer;

/** How long caches may keep what anyone may read, in s: stock and prices move. */
const PUBLIC_AGE = 5;
/** etagc of RFC 9110, section 8.8.3. */
const ETAG = /^[\x21\x23-\x7E]+$/u;
const WITHOUT_LOCATION = /\{[^}]*\}/gu;

/**
 * The builder of one plan: `response_body`, the mercer.http.v1 option, and an ETag where the resource has an
 * `etag`. A GET whose If-None-Match holds that ETag is a 304 (RFC 9110, section 13.1.2).
 */
export function responseBuilder(plan: Plan, writer: JsonWriter): ResponseBuilder {
  const write = messageBody(plan, writer);
  return (bytes, conditions) => {
    const message = readMessage(plan, bytes);
    const resource = resourceOf(plan, message);
    const etag = etagOf(resource);
    const headers = { ...cacheHeaders(plan), ...(etag === undefined ? {} : { etag }) };
    const reading = conditions.method === 'GET' || conditions.method === 'HEAD';
    if (reading && etag !== undefined && matches(conditions.ifNoneMatch, etag))
      return { status: 304, headers, body: '' };
    const { type, body } = write(message);
    const { code, location } = outcome(plan, resource);
    return { status: code, headers: { ...headers, ...location, 'content-type': type }, body };
  };
}

/** Makes the text of one message of a stream. */
export function recordWriter(plan: Plan, writer: JsonWriter): (bytes: Uint8Array) => string {
  const write =
    plan.responseField === undefined ? writer.message(plan.output) : writer.field(plan.responseField);
  return (bytes) => write(readMessage(plan, bytes));
}

/** Fields that a newer service knows, and this descriptor set does not, are left out. */
function readMessage({ output }: Plan, bytes: Uint8Array): ReflectMessage {
  return reflect(output, fromBinary(output, bytes, { readUnknownFields: false }), false);
}

type Body = { type: string; body: string | Uint8Array };

function messageBody(plan: Plan, writer: JsonWriter): (message: ReflectMessage) => Body {
  const raw = rawField(plan);
  if (raw !== undefined || isHttpBody(plan.output))
    return (message) => rawBody(raw === undefined ? message : message.get(raw));
  const write =
    plan.responseField === undefined ? writer.message(plan.output) : writer.field(plan.responseField);
  return (message) => ({ type: 'application/json', body: write(message) });
}

function rawField({ responseField }: Plan): (DescField & { fieldKind: 'message' }) | undefined {
  return responseField?.fieldKind === 'message' && isHttpBody(responseField.message)
    ? responseField
    : undefined;
}

function rawBody({ message }: ReflectMessage): Body {
  const { contentType, data } = message as unknown as { contentType: string; data: Uint8Array };
  return { type: /^[\x20-\x7E]+$/u.test(contentType) ? contentType : 'application/octet-stream', body: data };
}

/** What the HTTP answer shows, when it is a message. */
function resourceOf({ responseField }: Plan, message: ReflectMessage): ReflectMessage | undefined {
  if (responseField === undefined) return message;
  return responseField.fieldKind === 'message' ? message.get(responseField) : undefined;
}

function etagOf(resource: ReflectMessage | undefined): string | undefined {
  const value = resource === undefined ? undefined : textOf(resource, 'etag');
  return value !== undefined && ETAG.test(value) ? `"${value}"` : undefined;
}

function cacheHeaders({ open, sideEffectFree, httpMethod }: Plan): Record<string, string> {
  const shared = open && sideEffectFree && httpMethod === 'GET';
  return { 'cache-control': shared ? `public, max-age=${PUBLIC_AGE}` : 'no-store' };
}

/** Weak comparison (RFC 9110, section 8.8.3.2). */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((each) => each.trim().replace(/^W\//u, '') === etag);
}

/** See mercer/http/v1/http.proto. */
function outcome(
  { http }: Plan,
  resource: ReflectMessage | undefined,
): { code: number; location: Record<string, string> } {
  if (resource === undefined) return { code: http.success, location: {} };
  const [field = '', expected] = http.accepted.split('=');
  const pending = expected !== undefined && textOf(resource, field) === expected;
  const location = http.location.replaceAll(WITHOUT_LOCATION, (name) =>
    encodeSegment(textOf(resource, name.slice(1, -1)) ?? ''),
  );
  return { code: pending ? 202 : http.success, location: location === '' ? {} : { location } };
}

/** A scalar field as text, an enum field by its name. */
function textOf(message: ReflectMessage, name: string): string | undefined {
  const field = fieldNamed(message.desc, name);
  if (field?.fieldKind === 'scalar') return String(message.get(field));
  return field?.fieldKind === 'enum' ? field.enum.value[message.get(field)]?.name : undefined;
}
