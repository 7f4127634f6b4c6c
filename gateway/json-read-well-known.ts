/** Reads the messages that proto3 JSON writes in a form of their own: times, masks, wrappers, Struct and Any. */
import { fromJson, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, JsonValue, Registry } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import { badRequest } from '#fabric/rpc/status-error.ts';
import type { MessageReader } from './json-read.ts';
import { scalarReader } from './json-read-scalar.ts';
import { below } from './json-text.ts';
import type { JsonNode } from './json-text.ts';

/** Where the messages inside an Any come from. */
export type ReaderContext = { types: Registry; message: (type: DescMessage) => MessageReader };

/** What each type's JSON looks like, for refusals. */
const FORMS: Readonly<Record<string, string>> = {
  'google.protobuf.Timestamp': 'must be a time such as "2026-01-31T12:00:00Z"',
  'google.protobuf.Duration': 'must be a duration such as "1.5s"',
  'google.protobuf.FieldMask': 'must be field paths in lowerCamelCase with commas between',
  'google.protobuf.Struct': 'must be an object',
  'google.protobuf.ListValue': 'must be an array',
  'google.protobuf.Value': 'must be a JSON value of finite numbers',
};
const ANY = 'google.protobuf.Any';

/** The reader of a well-known type; undefined for a message whose JSON is an object of its fields. */
export function wellKnownReader(type: DescMessage, context: ReaderContext): MessageReader | undefined {
  if (type.typeName === ANY) return anyReader(type, context);
  if (isWrapperDesc(type)) return wrapperReader(type);
  const form = FORMS[type.typeName];
  return form === undefined ? undefined : libraryReader(type, form);
}

/** Whether the JSON of a message is other than an object of its fields. */
export function isWellKnown(type: DescMessage): boolean {
  return type.typeName === ANY || isWrapperDesc(type) || FORMS[type.typeName] !== undefined;
}

function libraryReader(type: DescMessage, form: string): MessageReader {
  return (node, path) => {
    try {
      return reflect(type, fromJson(type, plainValue(node)), false);
    } catch {
      throw badRequest(path || 'body', form);
    }
  };
}

function wrapperReader(type: DescMessage): MessageReader {
  const [value] = type.fields;
  if (value?.fieldKind !== 'scalar') throw new Error(`${type.typeName} wraps no scalar`);
  const read = scalarReader(value.scalar);
  return (node, path) => {
    const message = reflect(type, undefined, false);
    message.set(value, read(node, path || 'body'));
    return message;
  };
}

/** `{"@type": URL, ...fields}`, or `{"@type": URL, "value": ...}` for a type with a form of its own. */
function anyReader(any: DescMessage, { types, message }: ReaderContext): MessageReader {
  return (node, path) => {
    if (node.kind !== 'object') throw badRequest(path || 'body', 'must be an object');
    const packed = reflect(any, undefined, false);
    if (node.members.size === 0) return packed;
    const url = node.members.get('@type');
    const typeUrl = url?.kind === 'string' ? url.value : '';
    const type = types.getMessage(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
    if (type === undefined || !typeUrl.includes('/'))
      throw badRequest(below(path, '@type'), 'is not a known type');
    const content = message(type)(...contentOf(type, node.members, path));
    setByName(packed, 'type_url', typeUrl);
    setByName(packed, 'value', toBinary(type, content.message));
    return packed;
  };
}

function contentOf(type: DescMessage, members: Map<string, JsonNode>, path: string): [JsonNode, string] {
  const rest = new Map(members);
  rest.delete('@type');
  if (!isWellKnown(type)) return [{ kind: 'object', members: rest }, path];
  const value = rest.get('value');
  const extra = [...rest.keys()].find((name) => name !== 'value');
  if (extra !== undefined) throw badRequest(below(path, extra), 'is not known');
  if (value === undefined) throw badRequest(below(path, 'value'), 'is missing');
  return [value, below(path, 'value')];
}

function setByName(message: ReflectMessage, name: string, value: unknown): void {
  const field = message.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`${message.desc.typeName} has no field ${name}`);
  message.set(field, value);
}

/** A JSON value as the library takes it; only types whose numbers are doubles come here. */
function plainValue(node: JsonNode): JsonValue {
  switch (node.kind) {
    case 'null':
      return null;
    case 'number':
      return Number(node.text);
    case 'array':
      return node.items.map(plainValue);
    case 'object':
      return Object.fromEntries([...node.members].map(([name, value]) => [name, plainValue(value)]));
    case 'boolean':
    case 'string':
      return node.value;
  }
}
