/** Reads path templates as google/api/http.proto defines them: segments, variables and a verb. */

/** One step of a path. The text of a literal is decoded; `rest` is `**`. */
export type Segment = { kind: 'literal'; text: string } | { kind: 'one' } | { kind: 'rest' };

/** A part of the path that is bound to a field. */
export type Variable = {
  /** "a.b" is ["a", "b"]. */
  fieldPath: string[];
  /** Index of its first segment. */
  start: number;
  /** Index after its last segment; undefined when it ends with `**` and takes all that is left. */
  end: number | undefined;
  /** More than one segment: "%2F" in it stays as it is (http.proto, "Path template syntax"). */
  multiple: boolean;
};

/** A parsed template. */
export type Template = {
  text: string;
  segments: Segment[];
  variables: Variable[];
  /** Without its colon; empty when there is none. */
  verb: string;
};

type Scanner = { text: string; at: number; segments: Segment[]; variables: Variable[] };

const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
/** pchar of RFC 3986 without what the grammar itself uses; other characters must be percent-encoded. */
const LITERAL = /(?:[A-Za-z0-9\-._~!$&'()+,;@]|%[0-9A-Fa-f]{2})+/y;

/** Parses a template; throws an Error with position and reason when it does not follow the grammar. */
export function parseTemplate(text: string): Template {
  const scanner: Scanner = { text, at: 0, segments: [], variables: [] };
  expect(scanner, '/');
  readSegments(scanner, false);
  const verb = take(scanner, ':') ? readLiteral(scanner) : '';
  if (scanner.at !== text.length) throw malformed(scanner, 'expected "/", ":" or the end');
  const { segments, variables } = scanner;
  const rest = segments.findIndex(({ kind }) => kind === 'rest');
  if (rest !== -1 && rest !== segments.length - 1) throw malformed(scanner, '"**" must be the last segment');
  return { text, segments, variables, verb };
}

function readSegments(scanner: Scanner, inVariable: boolean): void {
  do readSegment(scanner, inVariable);
  while (take(scanner, '/'));
}

function readSegment(scanner: Scanner, inVariable: boolean): void {
  if (take(scanner, '**')) scanner.segments.push({ kind: 'rest' });
  else if (take(scanner, '*')) scanner.segments.push({ kind: 'one' });
  else if (!take(scanner, '{')) scanner.segments.push({ kind: 'literal', text: readLiteral(scanner) });
  else if (inVariable) throw malformed(scanner, 'a variable cannot hold another one');
  else readVariable(scanner);
}

function readVariable(scanner: Scanner): void {
  const fieldPath = readFieldPath(scanner);
  const { segments, variables } = scanner;
  const start = segments.length;
  if (take(scanner, '=')) readSegments(scanner, true);
  else segments.push({ kind: 'one' });
  expect(scanner, '}');
  const open = segments.at(-1)?.kind === 'rest';
  const multiple = open || segments.length - start > 1;
  if (variables.some((other) => other.fieldPath.join('.') === fieldPath.join('.')))
    throw malformed(scanner, `"${fieldPath.join('.')}" is bound twice`);
  variables.push({ fieldPath, start, end: open ? undefined : segments.length, multiple });
}

function readFieldPath(scanner: Scanner): string[] {
  const path: string[] = [];
  do path.push(match(scanner, IDENTIFIER) ?? fail(scanner, 'expected a field name'));
  while (take(scanner, '.'));
  return path;
}

/** A literal may be written percent-encoded; it is compared decoded. */
function readLiteral(scanner: Scanner): string {
  const text = match(scanner, LITERAL) ?? fail(scanner, 'expected a literal');
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed(scanner, `"${text}" is not UTF-8`);
  }
}

function match(scanner: Scanner, pattern: RegExp): string | undefined {
  pattern.lastIndex = scanner.at;
  const found = pattern.exec(scanner.text)?.[0];
  scanner.at += found?.length ?? 0;
  return found;
}

function take(scanner: Scanner, token: string): boolean {
  if (!scanner.text.startsWith(token, scanner.at)) return false;
  scanner.at += token.length;
  return true;
}

function expect(scanner: Scanner, token: string): void {
  if (!take(scanner, token)) throw malformed(scanner, `expected "${token}"`);
}

function fail(scanner: Scanner, reason: string): never {
  throw malformed(scanner, reason);
}

function malformed({ text, at }: Scanner, reason: string): Error {
  return new Error(`path template "${text}": ${reason}, at position ${at}`);
}
