/** Fills fields of the request from the path. */
import type { DescField } from '@bufbuild/protobuf';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import { badRequest } from '#fabric/rpc/status-error.ts';
import { holderOf, jsonPath } from './fields.ts';
import { decodeSegment, decodeSegments } from './percent.ts';
import type { PathBinding } from './plan.ts';
import { enumFromText, scalarFromText } from './scalar-text.ts';

/**
 * Sets the fields that the path binds. What the body already says of such a field must be the same, because
 * whoever checks the path must not be told another thing than whoever reads the request.
 */
export function bindPath(
  message: ReflectMessage,
  variables: readonly PathBinding[],
  segments: readonly string[],
): void {
  for (const { variable, fields } of variables) {
    const raw = segments.slice(variable.start, variable.end);
    const text = variable.multiple ? decodeSegments(raw) : decodeSegment(raw[0] ?? '');
    setOnce(message, fields, text);
  }
}

/** Sets a scalar or enum field from text, refusing another value than one that is already there. */
export function setOnce(message: ReflectMessage, fields: readonly DescField[], text: string): void {
  const field = fields.at(-1);
  if (field?.fieldKind !== 'scalar' && field?.fieldKind !== 'enum') throw new Error('no scalar field to set');
  const path = jsonPath(fields);
  const value =
    field.fieldKind === 'enum'
      ? enumFromText(field.enum, text, path)
      : scalarFromText(field.scalar, text, path);
  const holder = holderOf(message, fields);
  if (holder.isSet(field) && !same(holder.get(field), value))
    throw badRequest(path, 'has another value in the request target or a header');
  holder.set(field, value);
}

function same(one: unknown, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0;
  return Object.is(one, other);
}
