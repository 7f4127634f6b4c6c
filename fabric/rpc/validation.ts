/** Checks requests against the buf.validate rules of the contract, on the bytes as they came. */
import { fromBinary } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import type { Violation } from '@bufbuild/protovalidate';
import { status } from '@grpc/grpc-js';
import { registry } from './descriptors.ts';
import { StatusError } from './status-error.ts';

const validator = createValidator({ registry });

/**
 * Throws INVALID_ARGUMENT with reason INVALID_FIELD and a google.rpc.BadRequest that names every field that
 * breaks a rule, as a proto field path such as `lines[0].quantity`.
 */
export function validate(message: DescMessage, bytes: Uint8Array): void {
  const result = validator.validate(message, fromBinary(message, bytes));
  if (result.kind === 'valid') return;
  if (result.kind === 'error')
    throw new StatusError(status.INTERNAL, 'internal error', { cause: result.error });
  throw invalid(result.violations);
}

/** Compiles the rules of a message ahead of its first request (the first check costs some 60 ms). */
export function warmUp(message: DescMessage): void {
  validator.validate(message, fromBinary(message, new Uint8Array()));
}

function invalid(violations: readonly Violation[]): StatusError {
  const fieldViolations = violations.map((violation) => ({
    field: fieldPath(violation),
    description: describe(violation),
    reason: violation.ruleId.replaceAll('.', '_').toUpperCase(),
    localizedMessage: undefined,
  }));
  const [first] = fieldViolations;
  const message =
    first === undefined ? 'invalid request' : `${first.field || 'request'}: ${first.description}`;
  return new StatusError(status.INVALID_ARGUMENT, message, {
    reason: 'INVALID_FIELD',
    metadata: { field: first?.field ?? '' },
    details: [{ type: 'google.rpc.BadRequest', value: { fieldViolations } }],
  });
}

/** A rule on a message as a whole says "field.path: text"; the field is taken from there. */
const LEADING_PATH = /^([a-z_][a-z0-9_.]*): (.*)$/u;

function describe(violation: Violation): string {
  return violation.field.length > 0 ? violation.message : violation.message.replace(LEADING_PATH, '$2');
}

function fieldPath(violation: Violation): string {
  if (violation.field.length === 0) return LEADING_PATH.exec(violation.message)?.[1] ?? '';
  let path = '';
  for (const part of violation.field) {
    if (part.kind === 'list_sub') path += `[${part.index}]`;
    else if (part.kind === 'map_sub') path += `[${JSON.stringify(part.key)}]`;
    else if (part.kind === 'field' || part.kind === 'oneof')
      path += path === '' ? part.name : `.${part.name}`;
    else path += `[${part.typeName}]`;
  }
  return path;
}
