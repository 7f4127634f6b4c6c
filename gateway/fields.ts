/** Finds fields of a message by the names that HTTP clients use, and says them back. */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';

const indexes = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** A field by its JSON name or its name in the contract; both are accepted (proto3 JSON mapping). */
export function fieldNamed(message: DescMessage, name: string): DescField | undefined {
  const known = indexes.get(message);
  if (known !== undefined) return known.get(name);
  const index = new Map<string, DescField>();
  for (const field of message.fields) index.set(field.name, field);
  for (const field of message.fields) index.set(field.jsonName, field);
  indexes.set(message, index);
  return index.get(name);
}

/** A field path as clients read it, "expectedTotal.minorUnits". */
export function jsonPath(path: readonly DescField[]): string {
  return path.map((field) => field.jsonName).join('.');
}

/** The message that holds the last field of a path; those on the way are made when they are missing. */
export function holderOf(message: ReflectMessage, path: readonly DescField[]): ReflectMessage {
  let holder = message;
  for (const field of path.slice(0, -1)) {
    if (field.fieldKind !== 'message') throw new Error(`${field.toString()} holds no fields`);
    const next = holder.get(field);
    holder.set(field, next);
    holder = next;
  }
  return holder;
}
