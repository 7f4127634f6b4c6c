/** Writes messages as proto3 JSON text: defaults and empty lists present, 64-bit integers as strings. */
import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescMessage, Registry } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import type { ReflectList, ReflectMap, ReflectMessage } from '@bufbuild/protobuf/reflect';
import { wellKnownWriter } from './json-write-well-known.ts';

/** Makes JSON text of a message. */
export type MessageWriter = (message: ReflectMessage) => string;
type ValueWriter = (value: unknown) => string;

/** Writers of the messages and fields of one set of contracts. */
export type JsonWriter = {
  message: (type: DescMessage) => MessageWriter;
  /** Writes the value of one field of a message; an unset message is null. */
  field: (field: DescField) => MessageWriter;
};

/**
 * Writers are compiled once for each message type. Scalars and enums with implicit presence, lists and maps are
 * always there; unset messages and unset `optional` fields are absent. `types` are those that an Any may hold.
 */
export function jsonWriter(types: Registry): JsonWriter {
  const writers = new Map<DescMessage, MessageWriter>();
  const message = (type: DescMessage): MessageWriter => {
    const known = writers.get(type);
    if (known !== undefined) return known;
    const made = wellKnownWriter(type, { types, message }) ?? memberWriter(type, message);
    writers.set(type, made);
    return made;
  };
  const field = (each: DescField): MessageWriter => {
    const write = valueWriter(each, message);
    const absent = each.fieldKind === 'message' ? 'null' : undefined;
    return (holder) =>
      absent !== undefined && !holder.isSet(each) ? absent : write(holder.get<DescField>(each));
  };
  return { message, field };
}

/** Lists and maps have implicit presence too, in every edition. */
type Member = { field: DescField; key: string; always: boolean; write: ValueWriter };
type WriterOf = (type: DescMessage) => MessageWriter;

/** Compiled at the first use, because a message may contain itself. */
function memberWriter(type: DescMessage, writerOf: WriterOf): MessageWriter {
  let compiled: Member[] | undefined;
  return (message) => {
    compiled ??= type.fields.map((field) => memberOf(field, writerOf));
    let text = '';
    for (const { field, key, always, write } of compiled) {
      if (!always && !message.isSet(field)) continue;
      text += `${text === '' ? '{' : ','}${key}${write(message.get<DescField>(field))}`;
    }
    return text === '' ? '{}' : `${text}}`;
  };
}

function memberOf(field: DescField, writerOf: WriterOf): Member {
  return {
    field,
    key: `${JSON.stringify(field.jsonName)}:`,
    always: field.presence === FeatureSet_FieldPresence.IMPLICIT,
    write: valueWriter(field, writerOf),
  };
}

function valueWriter(field: DescField, writerOf: WriterOf): ValueWriter {
  const write = elementWriter(field, writerOf);
  if (field.fieldKind === 'list') return listWriter(write);
  return field.fieldKind === 'map' ? mapWriter(write) : write;
}

/** Of a singular field, or of one element of a list or map. */
function elementWriter(field: DescField, writerOf: WriterOf): ValueWriter {
  if (field.message !== undefined) {
    const { message } = field;
    return (value) => writerOf(message)(value as ReflectMessage);
  }
  return field.enum === undefined ? scalarWriter(field.scalar) : enumWriter(field.enum);
}

function listWriter(write: ValueWriter): ValueWriter {
  return (value) => `[${Array.from(value as ReflectList, write).join(',')}]`;
}

function mapWriter(write: ValueWriter): ValueWriter {
  return (value) =>
    `{${Array.from(value as ReflectMap, ([key, each]) => `${JSON.stringify(String(key))}:${write(each)}`).join(',')}}`;
}

/** A number without a name is written as it is, so that a newer service is understood. */
function enumWriter(type: DescEnum): ValueWriter {
  if (type.typeName === 'google.protobuf.NullValue') return () => 'null';
  return (value) => JSON.stringify(type.value[value as number]?.name ?? value);
}

/** JavaScript's numbers cannot hold them, so they are strings (proto3 JSON mapping). */
const WIDE = new Set<ScalarType>([
  ScalarType.INT64,
  ScalarType.SINT64,
  ScalarType.SFIXED64,
  ScalarType.UINT64,
  ScalarType.FIXED64,
]);

function scalarWriter(type: ScalarType): ValueWriter {
  if (WIDE.has(type)) return (value) => `"${String(value)}"`;
  if (type === ScalarType.BYTES) return (value) => `"${Buffer.from(value as Uint8Array).toString('base64')}"`;
  if (type === ScalarType.FLOAT || type === ScalarType.DOUBLE) return writeDouble;
  return (value) => JSON.stringify(value);
}

function writeDouble(value: unknown): string {
  return Number.isFinite(value) ? JSON.stringify(value) : `"${String(value)}"`;
}
