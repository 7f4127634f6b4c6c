/** JSON in and out of a stand-in's HTTP interface. */
import { HttpError } from './http-error.ts';
import type { HttpAnswer } from './router.ts';

/** An answer with a JSON body; 200 by default. */
export function json(value: unknown, status = 200): HttpAnswer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

/** Reads a JSON object; throws 400. */
export function readObject(body: Buffer): Record<string, unknown> {
  const value = parse(body);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new HttpError(400, 'body_malformed', { message: 'the body must be a JSON object' });
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new HttpError(400, 'body_malformed', { message: 'the body is not JSON' });
  }
}

/** A member that must be a text of a certain form; throws 400 naming it. */
export function readText(object: Record<string, unknown>, name: string, form: RegExp): string {
  const value = object[name];
  if (typeof value === 'string' && form.test(value)) return value;
  throw new HttpError(400, 'field_invalid', { message: `${name} must be a text that fits ${form.source}` });
}
