/** Finds the route of a request in a trie of path templates: literal before `*` before `**`, with backtracking. */
import type { Segment, Template } from './template.ts';

/** What a request must look like, and what it leads to. */
export type Route<T> = {
  /** An HTTP method, or `*` for any. */
  method: string;
  template: Template;
  /** Named when two routes collide, "mercer.order.v1.OrderService.GetOrder". */
  name: string;
  target: T;
};

/** What a request leads to. */
export type Match<T> =
  | { kind: 'found'; target: T; segments: string[] }
  /** The path exists, the method does not; `allow` is sorted and holds HEAD and OPTIONS. */
  | { kind: 'method'; allow: string[] }
  | { kind: 'none' };

/** A compiled set of routes. */
export type Router<T> = {
  /**
   * Looks up a method and the raw path of a request target. Found segments are raw, without the verb.
   * Throws URIError when a segment is not percent-encoded UTF-8.
   */
  find: (method: string, path: string) => Match<T>;
};

/** Routes that share a path, by verb and then by HTTP method. */
type Leaf<T> = Map<string, Map<string, Route<T>>>;
type Node<T> = { literals: Map<string, Node<T>>; one: Node<T> | undefined; rest: Leaf<T>; here: Leaf<T> };

/** Compiles routes; throws an Error that names both when two claim the same requests. */
export function createRouter<T>(routes: readonly Route<T>[]): Router<T> {
  const root = emptyNode<T>();
  for (const route of routes) add(root, route);
  return { find: (method, path) => find(root, method, path.slice(1).split('/')) };
}

function emptyNode<T>(): Node<T> {
  return { literals: new Map(), one: undefined, rest: new Map(), here: new Map() };
}

function add<T>(root: Node<T>, route: Route<T>): void {
  const { template, method } = route;
  const leaf = template.segments.reduce<{ node: Node<T>; leaf: Leaf<T> }>(
    ({ node }, segment) => step(node, segment),
    { node: root, leaf: root.here },
  ).leaf;
  const methods = leaf.get(template.verb) ?? new Map<string, Route<T>>();
  const other = methods.get(method);
  if (other !== undefined)
    throw new Error(
      `${route.name} and ${other.name} both claim ${method} ${template.text} (${other.template.text})`,
    );
  leaf.set(template.verb, methods.set(method, route));
}

function step<T>(node: Node<T>, segment: Segment): { node: Node<T>; leaf: Leaf<T> } {
  if (segment.kind === 'rest') return { node, leaf: node.rest };
  const next = (segment.kind === 'one' ? node.one : node.literals.get(segment.text)) ?? emptyNode<T>();
  if (segment.kind === 'one') node.one = next;
  else node.literals.set(segment.text, next);
  return { node: next, leaf: next.here };
}

/**
 * A last segment such as "4:cancel" ends with a verb when any method of that path has it; otherwise the colon
 * belongs to the value. The last colon counts, and "%3A" is never one.
 */
function find<T>(root: Node<T>, method: string, segments: string[]): Match<T> {
  const last = segments.at(-1) ?? '';
  const colon = last.lastIndexOf(':');
  if (colon !== -1) {
    const bare = [...segments.slice(0, -1), last.slice(0, colon)];
    const match = search(root, bare, { method, verb: decodeURIComponent(last.slice(colon + 1)) });
    if (match.kind !== 'none') return match;
  }
  return search(root, segments, { method, verb: '' });
}

function search<T>(
  root: Node<T>,
  segments: string[],
  { method, verb }: { method: string; verb: string },
): Match<T> {
  const allowed = new Set<string>();
  const choose = (leaf: Leaf<T>): Route<T> | undefined => {
    const methods = leaf.get(verb);
    if (methods === undefined) return undefined;
    for (const each of methods.keys()) allowed.add(each);
    return methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined) ?? methods.get('*');
  };
  const route = walk(root, 0, { segments: segments.map((segment) => decodeURIComponent(segment)), choose });
  if (route !== undefined) return { kind: 'found', target: route.target, segments };
  return allowed.size === 0 ? { kind: 'none' } : { kind: 'method', allow: allowHeader(allowed) };
}

type Search<T> = { segments: readonly string[]; choose: (leaf: Leaf<T>) => Route<T> | undefined };

/** Depth first in order of precedence, until one leaf has a route; a node is visited at most once. */
function walk<T>(node: Node<T>, index: number, search: Search<T>): Route<T> | undefined {
  const segment = search.segments[index];
  if (segment === undefined) return search.choose(node.here) ?? search.choose(node.rest);
  const literal = node.literals.get(segment);
  const found = literal === undefined ? undefined : walk(literal, index + 1, search);
  if (found !== undefined) return found;
  // RFC 6570 expands no empty value into a segment, so "/v1/products/" is not a product without id.
  const one = node.one === undefined || segment === '' ? undefined : walk(node.one, index + 1, search);
  return one ?? search.choose(node.rest);
}

function allowHeader(methods: Set<string>): string[] {
  const all = new Set(methods).add('OPTIONS');
  if (all.has('GET')) all.add('HEAD');
  return [...all].sort();
}
