/** Reads scalars and enums out of JSON values. */
import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum } from '@bufbuild/protobuf';
import { badRequest } from '#fabric/rpc/status-error.ts';
import type { JsonNode } from './json-text.ts';
import { integerOf } from './number-text.ts';
import { enumFromName, enumFromNumber, scalarFromText } from './scalar-text.ts';

/** Makes a field's value out of JSON; `path` names it in refusals. */
export type ValueReader = (node: JsonNode, path: string) => unknown;

/** The reader of a scalar field. Numbers may be strings, so that 64 bits survive (proto3 JSON mapping). */
export function scalarReader(type: ScalarType): ValueReader {
  if (type === ScalarType.BOOL) return readBoolean;
  if (type === ScalarType.STRING || type === ScalarType.BYTES) return textReader(type);
  return (node, path) => {
    if (node.kind === 'number') return scalarFromText(type, node.text, path);
    if (node.kind === 'string') return scalarFromText(type, node.value, path);
    throw badRequest(path, 'must be a number');
  };
}

function textReader(type: ScalarType): ValueReader {
  return (node, path) => {
    if (node.kind !== 'string') throw badRequest(path, 'must be a string');
    return scalarFromText(type, node.value, path);
  };
}

function readBoolean(node: JsonNode, path: string): boolean {
  if (node.kind !== 'boolean') throw badRequest(path, 'must be true or false');
  return node.value;
}

/** The reader of an enum field: a name, or a number. */
export function enumReader(type: DescEnum): ValueReader {
  return (node, path) => {
    if (node.kind === 'null' && isNullEnum(type)) return 0;
    if (node.kind === 'string') return enumFromName(type, node.value, path);
    const number = node.kind === 'number' ? integerOf(node.text) : undefined;
    if (number === undefined) throw badRequest(path, `must be a value of ${type.typeName}`);
    return enumFromNumber(type, number, path);
  };
}

/** Whether null is a value of this enum. */
export function isNullEnum(type: DescEnum): boolean {
  return type.typeName === 'google.protobuf.NullValue';
}
