/** Splits a request target into path and query, before anything is decoded. */
import { invalidTarget, targetTooLong } from './refusals.ts';

/** A request target. */
export type Target = {
  /** Raw, begins with "/". */
  path: string;
  /** Raw, without its "?". */
  query: string;
};

/** The longest target, in bytes. */
export const LONGEST_TARGET = 8 * 1024;

/** Visible ASCII; a fragment never reaches a server (RFC 3986, section 3.5). */
const TARGET = /^[\x21\x22\x24-\x7E]+$/u;
const ORIGIN = /^https?:\/\/[^/?]*/iu;

/**
 * Reads origin-form and absolute-form (RFC 9112, section 3.2). Nothing is normalised: "..", "%2e%2e" and "//" are
 * segments like others, so that what is authorised is what is called. 414 above 8 KiB, 400 for other forms.
 */
export function parseTarget(text: string): Target {
  if (text.length > LONGEST_TARGET) throw targetTooLong(LONGEST_TARGET);
  if (!TARGET.test(text)) throw invalidTarget('it must be visible ASCII without "#"');
  const local = text.replace(ORIGIN, '');
  const question = local.indexOf('?');
  const path = question === -1 ? local : local.slice(0, question);
  if (!path.startsWith('/')) throw invalidTarget('it must be a path');
  return { path, query: question === -1 ? '' : local.slice(question + 1) };
}
