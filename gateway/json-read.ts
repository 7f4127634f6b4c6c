/** Reads proto3 JSON into messages, strictly: what does not fit is refused naming the field's path. */
import { reflect, reflectList, reflectMap } from '@bufbuild/protobuf/reflect';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import type { DescField, DescMessage, Registry } from '@bufbuild/protobuf';
import { badRequest } from '#fabric/rpc/status-error.ts';
import { fieldNamed } from './fields.ts';
import { enumReader, isNullEnum, scalarReader } from './json-read-scalar.ts';
import type { ValueReader } from './json-read-scalar.ts';
import { wellKnownReader } from './json-read-well-known.ts';
import { below } from './json-text.ts';
import type { JsonNode } from './json-text.ts';
import { scalarFromText } from './scalar-text.ts';

/** Makes a message out of JSON. */
export type MessageReader = (node: JsonNode, path: string) => ReflectMessage;

/** Readers of the messages and fields of one set of contracts. */
export type JsonReader = {
  message: (type: DescMessage) => MessageReader;
  /** Reads what stands under the field's own name, so that a list is an array. */
  field: (field: DescField) => ValueReader;
};

/** What an error calls the body itself. */
const BODY = 'body';

/** Readers are compiled once for each message type; `types` are those that an Any may hold. */
export function jsonReader(types: Registry): JsonReader {
  const readers = new Map<DescMessage, MessageReader>();
  const message = (type: DescMessage): MessageReader => {
    const known = readers.get(type);
    if (known !== undefined) return known;
    const made = wellKnownReader(type, { types, message }) ?? memberReader(type, field);
    readers.set(type, made);
    return made;
  };
  const field = (each: DescField): ValueReader => fieldReader(each, message);
  return { message, field };
}

type Member = { field: DescField; read: ValueReader };

/** Compiled at the first use, because a message may contain itself. */
function memberReader(type: DescMessage, readerOf: (field: DescField) => ValueReader): MessageReader {
  const members = new Map<string, Member>();
  const memberNamed = (name: string, path: string): Member => {
    const known = members.get(name);
    if (known !== undefined) return known;
    const field = fieldNamed(type, name);
    if (field === undefined) throw badRequest(below(path, name), 'is not known');
    const member = { field, read: readerOf(field) };
    members.set(name, member);
    return member;
  };
  return (node, path) => {
    if (node.kind !== 'object') throw badRequest(path || BODY, 'must be an object');
    const message = reflect(type, undefined, false);
    const seen = new Set<DescField>();
    for (const [name, value] of node.members) {
      const { field, read } = memberNamed(name, path);
      if (seen.has(field)) throw badRequest(below(path, name), 'is given more than once, in two spellings');
      seen.add(field);
      if (value.kind === 'null' && !acceptsNull(field)) continue;
      if (field.oneof !== undefined && message.oneofCase(field.oneof) !== undefined)
        throw badRequest(below(path, name), `excludes another field of the oneof ${field.oneof.name}`);
      message.set(field, read(value, below(path, name)));
    }
    return message;
  };
}

/** null stands for an absent field, except where it is a value of its own (proto3 JSON mapping). */
function acceptsNull(field: DescField): boolean {
  if (field.fieldKind === 'enum') return isNullEnum(field.enum);
  return field.fieldKind === 'message' && field.message.typeName === 'google.protobuf.Value';
}

function fieldReader(field: DescField, message: (type: DescMessage) => MessageReader): ValueReader {
  switch (field.fieldKind) {
    case 'scalar':
      return scalarReader(field.scalar);
    case 'enum':
      return enumReader(field.enum);
    case 'message':
      return (node, path) => message(field.message)(node, path);
    case 'list':
      return listReader(field, elementReader(field, message));
    case 'map':
      return mapReader(field, elementReader(field, message));
  }
}

type Repeated = DescField & { fieldKind: 'list' | 'map' };

function elementReader(field: Repeated, message: (type: DescMessage) => MessageReader): ValueReader {
  if (field.message !== undefined) {
    const { message: type } = field;
    return (node, path) => message(type)(node, path);
  }
  return field.enum === undefined ? scalarReader(field.scalar) : enumReader(field.enum);
}

function listReader(field: DescField & { fieldKind: 'list' }, read: ValueReader): ValueReader {
  return (node, path) => {
    if (node.kind !== 'array') throw badRequest(path, 'must be an array');
    const list = reflectList(field, undefined, false);
    node.items.forEach((item, index) => list.add(read(item, below(path, index))));
    return list;
  };
}

function mapReader(field: DescField & { fieldKind: 'map' }, read: ValueReader): ValueReader {
  return (node, path) => {
    if (node.kind !== 'object') throw badRequest(path, 'must be an object');
    const map = reflectMap(field, undefined, false);
    for (const [name, value] of node.members) {
      const key = scalarFromText(field.mapKey, name, below(path, name));
      if (map.has(key)) throw badRequest(below(path, name), 'is given more than once, in two spellings');
      map.set(key, read(value, below(path, name)));
    }
    return map;
  };
}
