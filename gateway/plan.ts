/** Compiles each HTTP binding of the contracts into a plan: all that serving a request needs to know. */
import { reflect } from '@bufbuild/protobuf/reflect';
import type { DescField, DescMessage, DescMethod, FileRegistry } from '@bufbuild/protobuf';
import type { AccessRule } from '#fabric/rpc/access.ts';
import { describe } from '#fabric/rpc/descriptors.ts';
import { fieldNamed } from './fields.ts';
import { httpBindings, httpOption, nameOf } from './http-rule.ts';
import type { HttpBinding, HttpOption } from './http-rule.ts';
import type { Template, Variable } from './template.ts';

/** A variable of the path and the scalar or enum field that it fills. */
export type PathBinding = { variable: Variable; fields: readonly DescField[] };

/** What the HTTP body is: nothing, the whole request, or one of its fields. */
export type BodyBinding = { kind: 'none' } | { kind: 'all' } | { kind: 'field'; field: DescField };

/** One method at one place. */
export type Plan = {
  /** HTTP/2 path of the method, "/mercer.order.v1.OrderService/GetOrder". */
  path: string;
  /** Full name of its service. */
  service: string;
  /** "mercer.order.v1.OrderService.GetOrder". */
  name: string;
  httpMethod: string;
  template: Template;
  input: DescMessage;
  output: DescMessage;
  variables: readonly PathBinding[];
  body: BodyBinding;
  /** The field that is the HTTP answer; undefined for the whole message. */
  responseField: DescField | undefined;
  access: readonly AccessRule[];
  /** Anyone may call it, so that its answers may be kept by caches that users share. */
  open: boolean;
  /** The request is authenticated by its own signature, whose headers cross. */
  signed: boolean;
  http: HttpOption;
  sideEffectFree: boolean;
  /** Sent twice it works once: by its idempotency_level, or by the key that every such request carries. */
  repeatable: boolean;
  streams: boolean;
  /** Top-level fields that headers fill. */
  requestId: DescField | undefined;
  etag: DescField | undefined;
  /** Filled from the body of a PATCH when it is absent (AIP-134). */
  updateMask: DescField | undefined;
};

/** Plans for every method that has HTTP bindings. Throws an Error that names the method whose rule is wrong. */
export function compilePlans(types: FileRegistry): Plan[] {
  const plans: Plan[] = [];
  for (const type of types) {
    if (type.kind !== 'service') continue;
    for (const method of type.methods)
      plans.push(...httpBindings(method, types).map((binding) => compile(method, binding, types)));
  }
  return plans;
}

function compile(method: DescMethod, binding: HttpBinding, types: FileRegistry): Plan {
  const name = nameOf(method);
  if (method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming')
    throw new Error(`${name}: a method whose requests are a stream cannot have an HTTP rule (AIP-127)`);
  const { path, service, input, output, access, sideEffectFree, idempotent } = describe(method, types);
  const body = bodyOf(input, binding.body, name);
  const variables = binding.template.variables.map((each) => bind(input, each, name));
  const requestId = textField(input, 'request_id');
  const responseField = topLevel(output, binding.responseBody, `${name}: response_body`);
  return {
    path,
    service,
    name,
    httpMethod: binding.method,
    template: binding.template,
    input,
    output,
    variables,
    body,
    responseField,
    access,
    open: access.some((rule) => rule.anyone),
    signed: access.some((rule) => rule.signature),
    http: httpOption(method, types),
    sideEffectFree,
    repeatable: idempotent || requestId !== undefined,
    streams: method.methodKind === 'server_streaming',
    requestId,
    etag: textField(input, 'etag'),
    updateMask: binding.method === 'PATCH' && body.kind === 'field' ? maskField(input) : undefined,
  };
}

function bodyOf(input: DescMessage, name: string, method: string): BodyBinding {
  if (name === '*') return { kind: 'all' };
  const field = topLevel(input, name, `${method}: body`);
  return field === undefined ? { kind: 'none' } : { kind: 'field', field };
}

function topLevel(message: DescMessage, name: string, what: string): DescField | undefined {
  if (name === '') return undefined;
  const field = message.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`${what}: ${message.typeName} has no field "${name}"`);
  return field;
}

function bind(input: DescMessage, variable: Variable, method: string): PathBinding {
  const fields: DescField[] = [];
  let message: DescMessage | undefined = input;
  for (const name of variable.fieldPath) {
    const field: DescField | undefined = message === undefined ? undefined : fieldNamed(message, name);
    if (field === undefined)
      throw new Error(`${method}: there is no field "${variable.fieldPath.join('.')}"`);
    fields.push(field);
    message = field.fieldKind === 'message' ? field.message : undefined;
  }
  const { fieldKind } = fields.at(-1) ?? { fieldKind: 'map' };
  if (fieldKind !== 'scalar' && fieldKind !== 'enum')
    throw new Error(`${method}: a path cannot fill "${variable.fieldPath.join('.')}", which is no scalar`);
  return { variable, fields };
}

function textField(message: DescMessage, name: string): DescField | undefined {
  const field = message.fields.find((each) => each.name === name);
  return field?.fieldKind === 'scalar' && typeof reflect(message).get(field) === 'string' ? field : undefined;
}

function maskField(message: DescMessage): DescField | undefined {
  return message.fields.find(
    (field) => field.fieldKind === 'message' && field.message.typeName === 'google.protobuf.FieldMask',
  );
}
