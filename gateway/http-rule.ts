/** Reads the HTTP bindings of a method: google.api.http with its additional bindings, and mercer.http.v1. */
import { getOption, hasOption, toJson } from '@bufbuild/protobuf';
import type { DescMethod, FileRegistry } from '@bufbuild/protobuf';
import { parseTemplate } from './template.ts';
import type { Template } from './template.ts';

/** One way to call a method over HTTP. */
export type HttpBinding = {
  /** GET, PUT, POST, DELETE, PATCH, a custom one, or `*` for any. */
  method: string;
  template: Template;
  /** Name of a field, `*`, or empty for no body. */
  body: string;
  /** Name of a field, or empty for the whole answer. */
  responseBody: string;
};

/** What google.api.http cannot say; see mercer/http/v1/http.proto. */
export type HttpOption = { success: number; location: string; accepted: string };

type HttpRule = {
  get?: string;
  put?: string;
  post?: string;
  delete?: string;
  patch?: string;
  custom?: { kind?: string; path?: string };
  body?: string;
  responseBody?: string;
  additionalBindings?: HttpRule[];
};

const VERBS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** The bindings of a method, the first one first; none when it is not offered over HTTP. Throws an Error for a wrong rule. */
export function httpBindings(method: DescMethod, types: FileRegistry): HttpBinding[] {
  const rule = readOption(method, 'google.api.http', types) as HttpRule | undefined;
  if (rule === undefined) return [];
  const additional = rule.additionalBindings ?? [];
  if (additional.some((each) => each.additionalBindings !== undefined))
    throw new Error(`${nameOf(method)}: additional_bindings nest one level deep only`);
  return [rule, ...additional].map((each) => toBinding(method, each));
}

/** The mercer.http.v1 option of a method, 200 without Location by default. */
export function httpOption(method: DescMethod, types: FileRegistry): HttpOption {
  const option = readOption(method, 'mercer.http.v1.http', types) as Partial<HttpOption> | undefined;
  return { success: 200, location: '', accepted: '', ...option };
}

/** "mercer.order.v1.OrderService.GetOrder". */
export function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}

function toBinding(method: DescMethod, rule: HttpRule): HttpBinding {
  const { body = '', responseBody = '' } = rule;
  const verb = VERBS.find((each) => rule[each] !== undefined);
  const path = verb === undefined ? rule.custom?.path : rule[verb];
  const httpMethod = verb?.toUpperCase() ?? rule.custom?.kind;
  if (path === undefined || httpMethod === undefined)
    throw new Error(`${nameOf(method)}: the HTTP rule has no path`);
  return { method: httpMethod, template: parseTemplate(path), body, responseBody };
}

/** An option as its JSON, because descriptor sets define options that this program was not built with. */
function readOption(method: DescMethod, name: string, types: FileRegistry): unknown {
  const extension = types.getExtension(name);
  if (extension?.message === undefined || !hasOption(method, extension)) return undefined;
  return toJson(extension.message, getOption(method, extension) as never);
}
