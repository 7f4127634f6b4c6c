/** A strict JSON parser (RFC 8259): numbers keep their digits, members their order, and nothing is forgiven. */
import { isUtf8 } from 'node:buffer';
import { badRequest } from '#fabric/rpc/status-error.ts';
import { invalidJson } from './refusals.ts';

/** A JSON value. A number is its text, so that no digit is lost. */
export type JsonNode =
  | { kind: 'null' }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'number'; text: string }
  | { kind: 'string'; value: string }
  | { kind: 'array'; items: JsonNode[] }
  | { kind: 'object'; members: Map<string, JsonNode> };

/** Arrays and objects inside each other, at most. */
export const JSON_DEPTH = 64;

/** `root` is the path of the whole value, `path` leads on from there. */
type Scanner = { text: string; at: number; root: string; path: (string | number)[] };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;

/**
 * Parses one JSON value and nothing after it. INVALID_ARGUMENT, reason INVALID_JSON, for bytes that are no
 * UTF-8, wrong syntax, lone surrogates, trailing bytes and more than 64 levels; a member that appears twice is
 * an INVALID_FIELD that names it below `root`, the field that the value is for.
 */
export function parseJson(bytes: Uint8Array, root = ''): JsonNode {
  if (!isUtf8(bytes)) throw invalidJson('it is not UTF-8');
  const scanner: Scanner = { text: Buffer.from(bytes).toString('utf8'), at: 0, root, path: [] };
  const node = readValue(scanner);
  skipSpace(scanner);
  if (scanner.at !== scanner.text.length) throw malformed(scanner, 'there is more after the value');
  return node;
}

/** The path of a member or item below another path: "lines[0].quantity". */
export function below(path: string, step: string | number): string {
  if (typeof step === 'number') return `${path}[${step}]`;
  return path === '' ? step : `${path}.${step}`;
}

const KEYWORDS: readonly [string, JsonNode][] = [
  ['true', { kind: 'boolean', value: true }],
  ['false', { kind: 'boolean', value: false }],
  ['null', { kind: 'null' }],
];

function readValue(scanner: Scanner): JsonNode {
  skipSpace(scanner);
  const first = scanner.text[scanner.at];
  if (first === '{') return readObject(scanner);
  if (first === '[') return readArray(scanner);
  if (first === '"') return { kind: 'string', value: readString(scanner) };
  return readKeyword(scanner) ?? readNumber(scanner);
}

function readKeyword(scanner: Scanner): JsonNode | undefined {
  const [word, node] = KEYWORDS.find(([each]) => scanner.text.startsWith(each, scanner.at)) ?? [];
  scanner.at += word?.length ?? 0;
  return node;
}

function readObject(scanner: Scanner): JsonNode {
  const members = new Map<string, JsonNode>();
  open(scanner);
  if (take(scanner, '}')) return { kind: 'object', members };
  do {
    skipSpace(scanner);
    const name = scanner.text[scanner.at] === '"' ? readString(scanner) : fail(scanner, 'expected a name');
    scanner.path.push(name);
    if (members.has(name)) throw badRequest(pathOf(scanner), 'is given more than once');
    if (!take(scanner, ':')) throw malformed(scanner, 'expected ":"');
    members.set(name, readValue(scanner));
    scanner.path.pop();
  } while (take(scanner, ','));
  if (!take(scanner, '}')) throw malformed(scanner, 'expected "," or "}"');
  return { kind: 'object', members };
}

function readArray(scanner: Scanner): JsonNode {
  const items: JsonNode[] = [];
  open(scanner);
  if (take(scanner, ']')) return { kind: 'array', items };
  do {
    scanner.path.push(items.length);
    items.push(readValue(scanner));
    scanner.path.pop();
  } while (take(scanner, ','));
  if (!take(scanner, ']')) throw malformed(scanner, 'expected "," or "]"');
  return { kind: 'array', items };
}

/** The path holds one step for each container that is open. */
function open(scanner: Scanner): void {
  if (scanner.path.length >= JSON_DEPTH) throw invalidJson(`it is nested deeper than ${JSON_DEPTH} levels`);
  scanner.at += 1;
}

function readString(scanner: Scanner): string {
  const start = scanner.at;
  const end = stringEnd(scanner);
  const inner = scanner.text.slice(start + 1, end);
  const value = inner.includes('\\') ? unescaped(scanner, inner) : inner;
  if (!value.isWellFormed()) throw malformed(scanner, 'a string holds half a surrogate pair');
  // As scalarFromText says, here for what is kept as JSON too.
  if (value.includes('\0')) throw badRequest(pathOf(scanner) || 'body', 'must not hold a NUL character');
  scanner.at = end + 1;
  return value;
}

function stringEnd(scanner: Scanner): number {
  const { text } = scanner;
  for (let at = scanner.at + 1; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) return at;
    if (character === BACKSLASH) at += 1;
    else if (character < FIRST_PRINTABLE) throw malformed(scanner, 'a string holds a control character');
  }
  throw malformed(scanner, 'a string does not end');
}

function unescaped(scanner: Scanner, inner: string): string {
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    throw malformed(scanner, 'a string holds a wrong escape');
  }
}

function readNumber(scanner: Scanner): JsonNode {
  NUMBER.lastIndex = scanner.at;
  const text = NUMBER.exec(scanner.text)?.[0] ?? fail(scanner, 'expected a value');
  scanner.at += text.length;
  return { kind: 'number', text };
}

function take(scanner: Scanner, token: string): boolean {
  skipSpace(scanner);
  if (scanner.text[scanner.at] !== token) return false;
  scanner.at += 1;
  return true;
}

/** Space, tab, line feed, carriage return (RFC 8259, section 2). */
function skipSpace(scanner: Scanner): void {
  const { text } = scanner;
  for (;;) {
    const character = text.charCodeAt(scanner.at);
    if (character !== 0x20 && character !== 0x09 && character !== 0x0a && character !== 0x0d) return;
    scanner.at += 1;
  }
}

function pathOf({ root, path }: Scanner): string {
  return path.reduce<string>(below, root);
}

function fail(scanner: Scanner, reason: string): never {
  throw malformed(scanner, reason);
}

function malformed(scanner: Scanner, reason: string): Error {
  const path = pathOf(scanner);
  return invalidJson(`${reason} at position ${scanner.at}${path === '' ? '' : `, in ${path}`}`);
}
