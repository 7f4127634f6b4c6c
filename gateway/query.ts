/** Fills fields of the request from the query of the request target. */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import { badRequest } from '#fabric/rpc/status-error.ts';
import { maskOf, snakeCase } from './field-mask.ts';
import { fieldNamed, holderOf, jsonPath } from './fields.ts';
import type { JsonReader } from './json-read.ts';
import { isWellKnown } from './json-read-well-known.ts';
import { parseJson } from './json-text.ts';
import type { JsonNode } from './json-text.ts';
import type { Plan } from './plan.ts';
import { invalidTarget, tooManyParameters } from './refusals.ts';
import { enumFromText, scalarFromText } from './scalar-text.ts';

/** The most parameters that a query may have. */
export const MOST_PARAMETERS = 100;

/** Sets fields of a request from a raw query, without its "?". */
export type QueryBinder = (message: ReflectMessage, query: string) => void;

/**
 * The binder of one plan. A parameter names a field by its dotted path, in either case; lists repeat their
 * parameter. INVALID_ARGUMENT naming the parameter when no such field is free: unknown, bound by path or
 * body, below a list or a map, given twice, or of the wrong form.
 */
export function queryBinder(plan: Plan, reader: JsonReader): QueryBinder {
  return (message, query) => {
    if (query === '') return;
    const given = new Set<string>();
    const parameters = query.split('&').filter((each) => each !== '');
    if (parameters.length > MOST_PARAMETERS) throw tooManyParameters(MOST_PARAMETERS);
    for (const parameter of parameters) {
      const [name, value] = split(parameter);
      const fields = resolve(plan, name);
      refuseTwice(message, { name, value, fields }, given);
      set(message, { name, value, fields }, reader);
    }
  };
}

/** Form rules: "+" is a space, "%2B" a plus. */
function split(parameter: string): [name: string, value: string] {
  const equals = parameter.indexOf('=');
  const name = equals === -1 ? parameter : parameter.slice(0, equals);
  const value = equals === -1 ? '' : parameter.slice(equals + 1);
  return [decode(name), decode(value)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalidTarget('its query is not percent-encoded UTF-8');
  }
}

function resolve(plan: Plan, name: string): DescField[] {
  const fields: DescField[] = [];
  let holder: DescMessage | undefined = plan.input;
  for (const step of name.split('.')) {
    const field: DescField | undefined = holder === undefined ? undefined : fieldNamed(holder, step);
    if (field === undefined) throw badRequest(name, 'is no parameter of this method');
    fields.push(field);
    holder = field.fieldKind === 'message' && !isOpaque(field.message) ? field.message : undefined;
  }
  refuseBound(plan, fields, name);
  return fields;
}

/** Messages with a text form are set whole; a query never reaches into a raw body. */
function isOpaque(message: DescMessage): boolean {
  return isWellKnown(message) || message.typeName === 'google.api.HttpBody';
}

function refuseBound({ body, variables }: Plan, fields: readonly DescField[], name: string): void {
  if (body.kind === 'all') throw badRequest(name, 'belongs in the body');
  if (body.kind === 'field' && fields[0] === body.field) throw badRequest(name, 'belongs in the body');
  const path = jsonPath(fields);
  if (variables.some((each) => jsonPath(each.fields) === path))
    throw badRequest(name, 'is bound by the path and cannot be given again');
}

type Parameter = { name: string; value: string; fields: readonly DescField[] };

function refuseTwice(message: ReflectMessage, { name, fields }: Parameter, given: Set<string>): void {
  let holder = message;
  for (const field of fields) {
    const chosen = field.oneof === undefined ? undefined : holder.oneofCase(field.oneof);
    if (chosen !== undefined && chosen !== field)
      throw badRequest(name, `excludes ${chosen.jsonName} of the oneof ${chosen.oneof?.name}`);
    if (field.fieldKind === 'message' && field !== fields.at(-1)) holder = holder.get(field);
  }
  const path = jsonPath(fields);
  if (given.has(path)) throw badRequest(name, 'is given more than once');
  if (fields.at(-1)?.fieldKind !== 'list') given.add(path);
}

function set(message: ReflectMessage, { name, value, fields }: Parameter, reader: JsonReader): void {
  const field = fields.at(-1);
  const holder = holderOf(message, fields);
  switch (field?.fieldKind) {
    case 'scalar':
      return holder.set(field, scalarFromText(field.scalar, value, name));
    case 'enum':
      return holder.set(field, enumFromText(field.enum, value, name));
    case 'message':
      return holder.set(field, messageFromText(field.message, { name, value }, reader));
    case 'list':
      return holder.get(field).add(itemFromText(field, { name, value }));
    case 'map':
    case undefined:
      throw badRequest(name, 'is a map, which a query cannot hold');
  }
}

type NamedText = Pick<Parameter, 'name' | 'value'>;

function itemFromText(field: DescField & { fieldKind: 'list' }, { name, value }: NamedText): unknown {
  if (field.listKind === 'scalar') return scalarFromText(field.scalar, value, name);
  if (field.listKind === 'enum') return enumFromText(field.enum, value, name);
  throw badRequest(name, 'is a list of messages, which a query cannot hold');
}

const JSON_VALUES = new Set(['google.protobuf.Struct', 'google.protobuf.Value', 'google.protobuf.ListValue']);

function messageFromText(type: DescMessage, { name, value }: NamedText, reader: JsonReader): ReflectMessage {
  if (isWrapperDesc(type)) return wrapperFromText(type, { name, value });
  if (type.typeName === 'google.protobuf.FieldMask') return maskFromText(type, value);
  if (!isOpaque(type) || type.typeName === 'google.protobuf.Any' || type.typeName === 'google.api.HttpBody')
    throw badRequest(name, 'is a message; give its fields one by one');
  const node: JsonNode = JSON_VALUES.has(type.typeName)
    ? parseJson(Buffer.from(value), name)
    : { kind: 'string', value };
  return reader.message(type)(node, name);
}

function wrapperFromText(type: DescMessage, { name, value }: NamedText): ReflectMessage {
  const message = reflect(type, undefined, false);
  const [field] = type.fields;
  if (field?.fieldKind === 'scalar') message.set(field, scalarFromText(field.scalar, value, name));
  return message;
}

/** In a query a mask may be in either case; messages hold the names of the contract. */
function maskFromText(type: DescMessage, value: string): ReflectMessage {
  const paths = value === '' ? [] : value.split(',').map((path) => snakeCase(path.trim()));
  return maskOf(type, paths);
}
