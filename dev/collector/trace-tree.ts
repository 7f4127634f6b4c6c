/** Puts the spans of a trace in their places: who called whom. */
import type { Span } from './span.ts';

/** A span and those it led to, by their time. */
export type Branch = { span: Span; parent: Branch | undefined; children: Branch[] };

/** Roots by their time; a span whose parent never arrived, or is its own descendant, counts as one. */
export function treeOf(trace: readonly Span[]): Branch[] {
  const branches = trace.map((span): Branch => ({ span, parent: undefined, children: [] }));
  const byId = Map.groupBy(branches, ({ span }) => span.id);
  for (const branch of branches) {
    const parent = parentOf(branch, byId);
    if (parent === undefined || isAbove(branch, parent)) continue;
    branch.parent = parent;
    parent.children.push(branch);
  }
  for (const { children } of branches) children.sort(byTime);
  return branches.filter(({ parent }) => parent === undefined).sort(byTime);
}

/** Every branch of a tree from the top down, with how deep it lies. */
export function* walk(roots: readonly Branch[]): Generator<{ branch: Branch; depth: number }> {
  const rest = roots.map((branch) => ({ branch, depth: 0 })).toReversed();
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    yield next;
    const { branch, depth } = next;
    rest.push(...branch.children.map((child) => ({ branch: child, depth: depth + 1 })).toReversed());
  }
}

/**
 * A shared span is the callee's half of one that its caller reports under the same id. Where both halves have
 * children, those belong to the half of their own service.
 */
function parentOf(branch: Branch, byId: ReadonlyMap<string, Branch[]>): Branch | undefined {
  const { id, parentId, shared, localEndpoint } = branch.span;
  const callers = byId.get(id)?.filter(({ span }) => span.shared !== true && span !== branch.span) ?? [];
  if (shared === true && callers.length > 0) return callers[0];
  const candidates = parentId === undefined ? [] : (byId.get(parentId) ?? []);
  const own = candidates.find(({ span }) => span.localEndpoint?.serviceName === localEndpoint?.serviceName);
  return own ?? candidates.at(-1);
}

function isAbove(branch: Branch, other: Branch): boolean {
  for (let above: Branch | undefined = other; above !== undefined; above = above.parent)
    if (above === branch) return true;
  return false;
}

function byTime({ span: one }: Branch, { span: other }: Branch): number {
  return (one.timestamp ?? 0) - (other.timestamp ?? 0);
}
