/** Which service calls which, and how often, counted from traces. */
import type { Span } from './span.ts';
import { treeOf, walk } from './trace-tree.ts';
import type { Branch } from './trace-tree.ts';

/** Calls between two services, in the form of Zipkin. */
export type DependencyLink = { parent: string; child: string; callCount: number; errorCount?: number };

/** Links of all traces together, by name. */
export function dependencyLinks(traces: Iterable<readonly Span[]>): DependencyLink[] {
  const links = new Map<string, DependencyLink>();
  for (const trace of traces) {
    for (const { branch } of walk(treeOf(trace))) {
      const call = callOf(branch);
      if (call !== undefined) count(links, call, branch.span.tags?.['error'] !== undefined);
    }
  }
  return [...links.values()].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

type Call = { parent: string; child: string };

/** The callee's report counts; the caller's only where its peer reports nothing, such as a database. */
function callOf({ span, parent, children }: Branch): Call | undefined {
  const service = span.localEndpoint?.serviceName;
  if (service === undefined) return undefined;
  if (isCallee(span)) return between(callerOf(parent, service), service);
  const isAnswered = children.some((child) => isCallee(child.span));
  if ((span.kind === 'CLIENT' || span.kind === 'PRODUCER') && !isAnswered)
    return between(service, span.remoteEndpoint?.serviceName);
  return undefined;
}

function isCallee({ kind }: Span): boolean {
  return kind === 'SERVER' || kind === 'CONSUMER';
}

function callerOf(parent: Branch | undefined, service: string): string | undefined {
  for (let above = parent; above !== undefined; above = above.parent) {
    const name = above.span.localEndpoint?.serviceName;
    if (name !== undefined && name !== service) return name;
  }
  return undefined;
}

function between(parent: string | undefined, child: string | undefined): Call | undefined {
  return parent === undefined || child === undefined || parent === child ? undefined : { parent, child };
}

function count(links: Map<string, DependencyLink>, call: Call, failed: boolean): void {
  const link = links.get(keyOf(call)) ?? { ...call, callCount: 0 };
  link.callCount += 1;
  if (failed) link.errorCount = (link.errorCount ?? 0) + 1;
  links.set(keyOf(call), link);
}

function keyOf({ parent, child }: Call): string {
  return `${parent} ${child}`;
}
