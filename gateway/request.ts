/** Makes the upstream request of a plan out of path, query, body and headers. */
import { randomUUID } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import type { DescField, DescMessage, FileRegistry } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import type { HttpBody } from '#gen/google/api/httpbody.ts';
import { maskFiller } from './field-mask.ts';
import type { JsonReader } from './json-read.ts';
import { parseJson } from './json-text.ts';
import type { JsonNode } from './json-text.ts';
import { bindPath, setOnce } from './path.ts';
import type { Plan } from './plan.ts';
import { queryBinder } from './query.ts';
import { invalidTarget, unexpectedBody } from './refusals.ts';

/** The parts of an HTTP request that become the message. */
export type RequestParts = {
  /** Raw segments of the path, as the router found them. */
  segments: readonly string[];
  /** Raw query, without "?". */
  query: string;
  body: Uint8Array;
  contentType: string;
  /** From Idempotency-Key. */
  idempotencyKey: string | undefined;
  /** From If-Match. */
  etag: string | undefined;
};

/** Makes the wire bytes of the upstream request. */
export type RequestBuilder = (parts: RequestParts) => Uint8Array;

/** The builder of one plan. INVALID_ARGUMENT naming the field for whatever does not fit the contract. */
export function requestBuilder(
  plan: Plan,
  { reader, types }: { reader: JsonReader; types: FileRegistry },
): RequestBuilder {
  const readBody = bodyReader(plan, reader);
  const bindQuery = queryBinder(plan, reader);
  const fillMask = maskFiller(plan, types);
  return (parts) => {
    const { message, node } = readBody(parts);
    bindTarget(message, plan, parts);
    bindQuery(message, parts.query);
    setFromHeader(message, plan.requestId, parts.idempotencyKey);
    // Without a key the request stands for itself alone, also when it is sent upstream twice.
    if (plan.requestId !== undefined && !message.isSet(plan.requestId))
      message.set(plan.requestId, randomUUID());
    setFromHeader(message, plan.etag, parts.etag);
    if (node !== undefined) fillMask?.(message, node);
    return toBinary(plan.input, message.message);
  };
}

/** Whether the body of a plan is bytes of any type (google.api.HttpBody) instead of JSON. */
export function takesRawBody({ body, input }: Plan): boolean {
  if (body.kind === 'all') return isHttpBody(input);
  return body.kind === 'field' && body.field.fieldKind === 'message' && isHttpBody(body.field.message);
}

/** Whether a message stands for bytes with a content type. */
export function isHttpBody(type: DescMessage): boolean {
  return type.typeName === 'google.api.HttpBody';
}

type BodyReader = (parts: RequestParts) => { message: ReflectMessage; node?: JsonNode };

/** An empty body stands for an empty message; a body of spaces is no JSON. */
function bodyReader(plan: Plan, reader: JsonReader): BodyReader {
  const { input, body } = plan;
  if (takesRawBody(plan)) return rawBodyReader(plan);
  if (body.kind === 'all') {
    const read = reader.message(input);
    return ({ body: bytes }) => {
      if (bytes.length === 0) return { message: emptyMessage(input) };
      const node = parseJson(bytes);
      return { message: read(node, ''), node };
    };
  }
  if (body.kind === 'field') {
    const { field } = body;
    const read = reader.field(field);
    return ({ body: bytes }) => {
      const message = emptyMessage(input);
      if (bytes.length === 0) return { message };
      const node = parseJson(bytes, field.jsonName);
      message.set(field, read(node, field.jsonName));
      return { message, node };
    };
  }
  return ({ body: bytes }) => {
    if (bytes.length > 0) throw unexpectedBody();
    return { message: emptyMessage(input) };
  };
}

function rawBodyReader({ input, body }: Plan): BodyReader {
  return ({ body: data, contentType }) => {
    const message = emptyMessage(input);
    if (body.kind === 'field' && body.field.fieldKind === 'message') {
      const raw = emptyMessage(body.field.message);
      fillHttpBody(raw, { data, contentType });
      message.set(body.field, raw);
    } else fillHttpBody(message, { data, contentType });
    return { message };
  };
}

function fillHttpBody(
  raw: ReflectMessage,
  { data, contentType }: Pick<HttpBody, 'contentType'> & { data: Uint8Array },
): void {
  Object.assign(raw.message, { data, contentType });
}

function emptyMessage(type: DescMessage): ReflectMessage {
  return reflect(type, undefined, false);
}

function bindTarget(message: ReflectMessage, plan: Plan, { segments }: RequestParts): void {
  try {
    bindPath(message, plan.variables, segments);
  } catch (error) {
    if (error instanceof URIError) throw invalidTarget('its path is not percent-encoded UTF-8');
    throw error;
  }
}

/** A header says it for the field; saying something else in the body or the query is refused. */
function setFromHeader(
  message: ReflectMessage,
  field: DescField | undefined,
  value: string | undefined,
): void {
  if (field !== undefined && value !== undefined) setOnce(message, [field], value);
}
