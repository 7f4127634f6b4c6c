/** Resolves `${key}` and `${key:default}` in values, by Spring's rules. */

/** Values with their placeholders resolved, and what went wrong by key. */
export type Resolved = { values: Map<string, string>; faults: Map<string, string> };

/** The longest value after resolving, in characters: references to references may grow without end. */
const MAX_LENGTH = 65_536;

/** The longest chain of references, nested ones included. */
const MAX_DEPTH = 64;

/** What ends the resolving of one value. */
class Unresolvable extends Error {}

/**
 * Resolves every value against all of them. A placeholder whose key is unknown and that has no default stays
 * as written, for the reader's own environment to resolve. Circles and overlong values are faults.
 */
export function resolvePlaceholders(raw: ReadonlyMap<string, string>): Resolved {
  const resolver = new Resolver(raw);
  const faults = new Map<string, string>();
  const values = new Map<string, string>();
  for (const key of raw.keys()) {
    try {
      values.set(key, resolver.valueOf(key, []) ?? '');
    } catch (error) {
      if (!(error instanceof Unresolvable)) throw error;
      faults.set(key, error.message);
    }
  }
  return { values, faults };
}

/** Remembers resolved values, so that each is resolved once. */
class Resolver {
  readonly #raw: ReadonlyMap<string, string>;
  readonly #resolved = new Map<string, string>();
  #depth = 0;

  constructor(raw: ReadonlyMap<string, string>) {
    this.#raw = raw;
  }

  /** The value of a key; undefined for an unknown one. `open` are the keys whose values led here. */
  valueOf(key: string, open: readonly string[]): string | undefined {
    const known = this.#resolved.get(key);
    const raw = this.#raw.get(key);
    if (known !== undefined || raw === undefined) return known;
    if (open.includes(key))
      throw new Unresolvable(`placeholders go in a circle: ${[...open, key].join(' -> ')}`);
    const value = this.#expand(raw, [...open, key]);
    this.#resolved.set(key, value);
    return value;
  }

  #expand(text: string, open: readonly string[]): string {
    if (this.#depth > MAX_DEPTH)
      throw new Unresolvable(`placeholders are nested deeper than ${MAX_DEPTH} levels`);
    this.#depth += 1;
    try {
      return this.#expandAll(text, open);
    } finally {
      this.#depth -= 1;
    }
  }

  #expandAll(text: string, open: readonly string[]): string {
    let expanded = '';
    let rest = text;
    for (;;) {
      const start = rest.indexOf('${');
      const end = start === -1 ? -1 : closing(rest, start + 2);
      if (end === -1) return within(expanded + rest);
      expanded = within(expanded + rest.slice(0, start) + this.#substitute(rest.slice(start + 2, end), open));
      rest = rest.slice(end + 1);
    }
  }

  #substitute(inner: string, open: readonly string[]): string {
    const { key, fallback } = parts(inner);
    const value = this.valueOf(this.#expand(key, open), open);
    if (value !== undefined) return value;
    return fallback === undefined ? `\${${inner}}` : this.#expand(fallback, open);
  }
}

function within(text: string): string {
  if (text.length > MAX_LENGTH)
    throw new Unresolvable(`placeholders make it longer than ${MAX_LENGTH} characters`);
  return text;
}

/** Where the placeholder that was opened before `from` ends; -1 when it never does. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (const { index, 0: token } of text.slice(from).matchAll(/\$\{|\}/g)) {
    depth += token === '}' ? -1 : 1;
    if (depth === 0) return from + index;
  }
  return -1;
}

/** Splits at the first colon that stands outside of inner placeholders. */
function parts(inner: string): { key: string; fallback?: string } {
  let depth = 0;
  for (const { index, 0: token } of inner.matchAll(/\$\{|\}|:/g)) {
    if (token === ':' && depth === 0) return { key: inner.slice(0, index), fallback: inner.slice(index + 1) };
    if (token !== ':') depth += token === '}' ? -1 : 1;
  }
  return { key: inner };
}
