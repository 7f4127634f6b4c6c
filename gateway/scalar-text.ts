/** Values of scalar and enum fields out of text: paths, queries, JSON strings and map keys. */
import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum } from '@bufbuild/protobuf';
import { badRequest } from '#fabric/rpc/status-error.ts';
import { doubleOf, integerOf } from './number-text.ts';

/** What a scalar field holds, in the representation of @bufbuild/protobuf. */
export type Scalar = string | number | bigint | boolean | Uint8Array;

type Range = { least: bigint; most: bigint; wide: boolean };

const INT32: Range = { least: -(2n ** 31n), most: 2n ** 31n - 1n, wide: false };
const UINT32: Range = { least: 0n, most: 2n ** 32n - 1n, wide: false };
const INT64: Range = { least: -(2n ** 63n), most: 2n ** 63n - 1n, wide: true };
const UINT64: Range = { least: 0n, most: 2n ** 64n - 1n, wide: true };

/** Reads the text of a scalar field; INVALID_ARGUMENT naming `path` when it does not fit. */
export function scalarFromText(type: ScalarType, text: string, path: string): Scalar {
  switch (type) {
    case ScalarType.STRING:
      // PostgreSQL keeps no NUL in text (its manual, section 8.3), so that no service could.
      return text.includes('\0') ? refuse(path, 'must not hold a NUL character') : text;
    case ScalarType.BYTES:
      return bytesFromText(text, path);
    case ScalarType.BOOL:
      return boolFromText(text, path);
    case ScalarType.DOUBLE:
      return floatFromText(text, path);
    case ScalarType.FLOAT:
      return singleFromText(text, path);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return integerFromText(INT32, text, path);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return integerFromText(UINT32, text, path);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return integerFromText(INT64, text, path);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return integerFromText(UINT64, text, path);
  }
}

/** Reads the name or the number of an enum value. */
export function enumFromText(type: DescEnum, text: string, path: string): number {
  const number = integerOf(text);
  return number === undefined ? enumFromName(type, text, path) : enumFromNumber(type, number, path);
}

/** Reads the name of an enum value. */
export function enumFromName(type: DescEnum, name: string, path: string): number {
  const named = type.values.find((value) => value.name === name);
  return named?.number ?? refuse(path, `must be a value of ${type.typeName}`);
}

/** Checks the number of an enum value; one without a name is accepted where the enum is open. */
export function enumFromNumber(type: DescEnum, number: bigint, path: string): number {
  const value = Number(number);
  const known = type.value[value] !== undefined;
  if (known || (type.open && number >= INT32.least && number <= INT32.most)) return value;
  throw badRequest(path, `must be a value of ${type.typeName}`);
}

function integerFromText({ least, most, wide }: Range, text: string, path: string): bigint | number {
  const value = integerOf(text);
  if (value === undefined || value < least || value > most)
    throw badRequest(path, `must be an integer from ${least} to ${most}`);
  return wide ? value : Number(value);
}

function floatFromText(text: string, path: string): number {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text);
  return doubleOf(text) ?? refuse(path, 'must be a number, "NaN", "Infinity" or "-Infinity"');
}

function singleFromText(text: string, path: string): number {
  const value = floatFromText(text, path);
  const single = Math.fround(value);
  if (Number.isFinite(value) && !Number.isFinite(single)) refuse(path, 'is out of the range of a float');
  return single;
}

function boolFromText(text: string, path: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return refuse(path, 'must be true or false');
}

/** Both alphabets of RFC 4648 (sections 4 and 5), padded or not. */
function bytesFromText(text: string, path: string): Uint8Array {
  const digits = text.replace(/={1,2}$/u, '');
  const padded = digits.length !== text.length;
  if (!/^[A-Za-z0-9+/_-]*$/u.test(digits) || digits.length % 4 === 1 || (padded && text.length % 4 !== 0))
    throw badRequest(path, 'must be base64');
  return Buffer.from(digits, 'base64');
}

function refuse(path: string, description: string): never {
  throw badRequest(path, description);
}
