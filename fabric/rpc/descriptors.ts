/** The contracts at run time: every message and method of gen/mercer.binpb with its options. */
import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, getOption, hasOption, toJson } from '@bufbuild/protobuf';
import type { DescExtension, DescMessage, DescMethod, FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorSet } from '@bufbuild/protobuf/wkt';
import type { AccessRule } from './access.ts';

/** What the contract says of one method. */
export type MethodInfo = {
  /** As in HTTP/2, "/mercer.order.v1.OrderService/CreateOrder". */
  path: string;
  /** Full name of its service, "mercer.order.v1.OrderService". */
  service: string;
  name: string;
  input: DescMessage;
  output: DescMessage;
  descriptor: DescMethod;
  access: AccessRule[];
  /** idempotency_level is NO_SIDE_EFFECTS. */
  sideEffectFree: boolean;
  /** idempotency_level is IDEMPOTENT or NO_SIDE_EFFECTS. */
  idempotent: boolean;
};

/** The descriptor set as buf wrote it. */
export const descriptorSet: FileDescriptorSet = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(new URL('../../gen/mercer.binpb', import.meta.url)),
);

/** Every type of the descriptor set. */
export const registry: FileRegistry = createFileRegistry(descriptorSet);

const methods = new Map<string, MethodInfo>();
for (const type of registry) {
  if (type.kind !== 'service') continue;
  for (const method of type.methods) {
    const info = describe(method, registry);
    methods.set(info.path, info);
  }
}

/** Looks a method up by its HTTP/2 path; undefined when the contracts do not have it. */
export function methodOf(path: string): MethodInfo | undefined {
  return methods.get(path);
}

/** Reads a method's description out of any descriptor set that holds the option's definition. */
export function describe(method: DescMethod, types: FileRegistry): MethodInfo {
  const level = method.idempotency;
  const sideEffectFree = level === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    service: method.parent.typeName,
    name: method.name,
    input: method.input,
    output: method.output,
    descriptor: method,
    access: accessRules(method, types),
    sideEffectFree,
    idempotent: sideEffectFree || level === MethodOptions_IdempotencyLevel.IDEMPOTENT,
  };
}

function accessRules(method: DescMethod, types: FileRegistry): AccessRule[] {
  const extension = types.getExtension('mercer.access.v1.access');
  if (extension === undefined || !hasOption(method, extension)) return [];
  return readRules(extension, getOption(method, extension));
}

function readRules(extension: DescExtension, value: unknown): AccessRule[] {
  if (extension.message === undefined || !Array.isArray(value)) return [];
  const message = extension.message;
  return value.map((rule) => ({
    anyone: false,
    roles: [],
    callers: [],
    owner: '',
    signature: false,
    ...(toJson(message, rule) as Partial<AccessRule>),
  }));
}
