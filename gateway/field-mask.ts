/** Field masks: made from text, and filled from the body of a PATCH (AIP-134). */
import { create, getOption, hasOption } from '@bufbuild/protobuf';
import type { DescExtension, DescField, DescMessage, FileRegistry } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { fieldNamed, jsonPath } from './fields.ts';
import { isWellKnown } from './json-read-well-known.ts';
import type { JsonNode } from './json-text.ts';
import type { Plan } from './plan.ts';

/** google.api.FieldBehavior: what a client does not set by an update. */
const OUTPUT_ONLY = 3;
const IMMUTABLE = 5;
const IDENTIFIER = 8;

/** "minorUnits" is "minor_units"; names of the contract stay as they are. */
export function snakeCase(path: string): string {
  return path.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}

/** A mask message of these paths. */
export function maskOf(type: DescMessage, paths: string[]): ReflectMessage {
  const mask = create(type) as FieldMask;
  mask.paths = paths;
  return reflect(type, mask, false);
}

/** Fills the mask of a request from what its body names. */
export type MaskFiller = (message: ReflectMessage, body: JsonNode) => void;

/**
 * The filler of one plan; undefined when it has no mask to fill. A mask that has paths stays as it is. Lists and
 * maps are named whole, messages field by field, null names a field that is to be cleared. Fields that the path
 * binds, and those that only the server sets, are not named, so that a resource can be sent back as it was read.
 */
export function maskFiller(
  { updateMask, body, variables }: Plan,
  types: FileRegistry,
): MaskFiller | undefined {
  if (updateMask?.fieldKind !== 'message' || body.kind !== 'field' || body.field.fieldKind !== 'message')
    return undefined;
  const { message: type } = updateMask;
  const { message: resource } = body.field;
  const bound = new Set(variables.map(({ fields }) => jsonPath(fields.slice(1))));
  const behavior = types.getExtension('google.api.field_behavior');
  const skip = (fields: readonly DescField[]): boolean =>
    bound.has(jsonPath(fields)) || isServers(fields, behavior);
  return (message, node) => {
    if (message.isSet(updateMask) && (message.get(updateMask).message as FieldMask).paths.length > 0) return;
    message.set(updateMask, maskOf(type, pathsOf({ type: resource, fields: [] }, node, skip)));
  };
}

type Place = { type: DescMessage; fields: readonly DescField[] };

function pathsOf(place: Place, node: JsonNode, skip: (fields: readonly DescField[]) => boolean): string[] {
  if (node.kind !== 'object') return [];
  return [...node.members].flatMap(([name, value]) => {
    const field = fieldNamed(place.type, name);
    const fields = field === undefined ? [] : [...place.fields, field];
    if (field === undefined || skip(fields)) return [];
    const inner = field.fieldKind === 'message' && !isWellKnown(field.message) ? field.message : undefined;
    const deeper = inner !== undefined && value.kind === 'object' && value.members.size > 0;
    return deeper
      ? pathsOf({ type: inner, fields }, value, skip)
      : [fields.map((each) => each.name).join('.')];
  });
}

function isServers(fields: readonly DescField[], behavior: DescExtension | undefined): boolean {
  const field = fields.at(-1);
  if (field === undefined || behavior === undefined || !hasOption(field, behavior)) return false;
  const behaviors = getOption(field, behavior);
  return (
    Array.isArray(behaviors) && behaviors.some((each) => [OUTPUT_ONLY, IMMUTABLE, IDENTIFIER].includes(each))
  );
}
