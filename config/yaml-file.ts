/** Reads a YAML (or JSON) file as flat properties, each with its place in the file. */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, YAMLMap } from 'yaml';

/** One value and where it stands. */
export type Property = {
  value: string | number | boolean;
  /** The value as text, a number just as it is written. */
  text: string;
  /** Counted from 1. */
  line: number;
  column: number;
};

/** Why a file cannot be used. */
export type Fault = {
  file: string;
  /** Counted from 1; 0 when the fault has no line. */
  line: number;
  reason: string;
};

/** A file's properties; none when it has a fault. */
export type ConfigFile = {
  name: string;
  properties: ReadonlyMap<string, Property>;
  fault: Fault | undefined;
};

/** Bounds against hostile files: nesting, nodes walked after aliases are followed, and length of a key. */
const MAX_DEPTH = 32;
const MAX_NODES = 20_000;
const MAX_KEY = 512;
/** The tags of JSON's own types (YAML 1.2, section 10.2); others make values that are no text, number or boolean. */
const PLAIN_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

/** What ends the reading of a file. */
class Unusable extends Error {
  readonly node: unknown;

  constructor(reason: string, node: unknown) {
    super(reason);
    this.node = node;
  }
}

/** A walk through one file. */
type Walk = {
  document: Document;
  lines: LineCounter;
  properties: Map<string, Property>;
  nodes: number;
};

/**
 * Flattens a file by the rules of Spring's YamlProcessor: `a.b`, `a[0].b`; null and empty collections are ''.
 * Anchors, aliases and merge keys work; tags, several documents, and a key given twice are faults.
 */
export function parseYaml(name: string, text: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const unfit = document.errors[0] ?? document.warnings[0];
  if (unfit !== undefined) {
    const { line } = lines.linePos(unfit.pos[0]);
    return faulty({ file: name, line, reason: unfit.message });
  }
  const walk: Walk = { document, lines, properties: new Map(), nodes: 0 };
  try {
    readRoot(walk);
    return { name, properties: walk.properties, fault: undefined };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return faulty({ file: name, line: positionOf(walk, error.node).line, reason: error.message });
  }
}

/** A file that cannot be used. */
export function faulty(fault: Fault): ConfigFile {
  return { name: fault.file, properties: new Map(), fault };
}

function readRoot(walk: Walk): void {
  const root = walk.document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return;
  if (!isMap(root)) throw new Unusable('the file is not a mapping of keys to values', root);
  if (root.items.length > 0) read(walk, root, { path: '', depth: 0 });
}

function read(walk: Walk, node: unknown, { path, depth }: { path: string; depth: number }): void {
  const target = follow(walk, node);
  if (depth > MAX_DEPTH) throw new Unusable(`nested deeper than ${MAX_DEPTH} levels`, node);
  if (path.length > MAX_KEY) throw new Unusable(`a key is longer than ${MAX_KEY} characters`, node);
  if (isMap(target) && target.items.length > 0) {
    for (const [key, value] of entriesOf(walk, target, depth))
      read(walk, value, { path: child(path, key), depth: depth + 1 });
  } else if (isSeq(target) && target.items.length > 0) {
    for (const [index, item] of target.items.entries())
      read(walk, item, { path: `${path}[${index}]`, depth: depth + 1 });
  } else {
    put(walk, path, target);
  }
}

/** A map's entries by key. Merged maps give what the map itself does not (YAML merge key, first one wins). */
function entriesOf(walk: Walk, map: YAMLMap, depth: number): Map<string, unknown> {
  if (depth > MAX_DEPTH) throw new Unusable(`merged deeper than ${MAX_DEPTH} levels`, map);
  const entries = new Map<string, unknown>();
  const merged: unknown[] = [];
  for (const { key, value } of map.items) {
    const text = keyOf(key);
    if (text === '<<') merged.push(...sourcesOf(follow(walk, value)));
    else entries.set(text, value ?? key);
  }
  for (const source of merged) {
    const target = follow(walk, source);
    if (!isMap(target)) throw new Unusable('<< merges something that is not a mapping', source);
    for (const [key, value] of entriesOf(walk, target, depth + 1))
      if (!entries.has(key)) entries.set(key, value);
  }
  return entries;
}

function sourcesOf(merged: unknown): unknown[] {
  return isSeq(merged) ? merged.items : [merged];
}

/** The node itself, or what an alias stands for. */
function follow(walk: Walk, node: unknown): unknown {
  walk.nodes += 1;
  if (walk.nodes > MAX_NODES) throw new Unusable(`more than ${MAX_NODES} values, aliases followed`, node);
  const target = isAlias(node) ? node.resolve(walk.document) : node;
  if (isNode(target) && target.tag !== undefined && !PLAIN_TAG.test(target.tag))
    throw new Unusable(`the tag ${target.tag} is not allowed`, node);
  return target;
}

function keyOf(key: unknown): string {
  if (!isScalar(key)) throw new Unusable('a key is not a plain text', key);
  return typeof key.value === 'string' ? key.value : `[${String(key.value)}]`;
}

function child(path: string, key: string): string {
  return path === '' || key.startsWith('[') ? path + key : `${path}.${key}`;
}

function put(walk: Walk, key: string, node: unknown): void {
  if (walk.properties.has(key)) throw new Unusable(`${key} is given twice`, node);
  walk.properties.set(key, { ...valueOf(node), ...positionOf(walk, node) });
}

function valueOf(node: unknown): { value: string | number | boolean; text: string } {
  const value: unknown = isScalar(node) ? node.value : '';
  if (typeof value === 'boolean') return { value, text: String(value) };
  if (typeof value !== 'number') return plain(typeof value === 'string' ? value : '');
  const text = (isScalar(node) ? node.source : undefined) ?? String(value);
  const exact = Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  return exact ? { value, text } : plain(text);
}

function plain(text: string): { value: string; text: string } {
  return { value: text, text };
}

function positionOf({ lines }: Walk, node: unknown): { line: number; column: number } {
  const offset = isNode(node) ? node.range?.[0] : undefined;
  if (offset === undefined) return { line: 0, column: 0 };
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
