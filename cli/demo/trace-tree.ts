/** Draws a trace as an indented tree with times. */
import { duration, paint, table } from '../terminal.ts';
import type { Span } from './trace.ts';

/** One line per span: its place in the tree, service, name (after an arrow what it calls), when and how long it ran. */
export function traceTree(spans: readonly Span[]): string {
  const ids = new Set(spans.map(({ id }) => id));
  const roots = inTime(spans.filter(({ parentId }) => parentId === undefined || !ids.has(parentId)));
  const start = Math.min(...spans.map(({ timestamp = Infinity }) => timestamp));
  const rows = roots.flatMap((root) => branch(root, spans, { indent: '  ', start }));
  return table(rows);
}

type Place = { indent: string; start: number };

function branch(span: Span, spans: readonly Span[], { indent, start }: Place): string[][] {
  const children = inTime(spans.filter(({ parentId }) => parentId === span.id));
  const below = children.flatMap((child) => branch(child, spans, { indent: `${indent}  `, start }));
  return [row(span, { indent, start }), ...below];
}

function row(span: Span, { indent, start }: Place): string[] {
  const service = span.localEndpoint?.serviceName ?? '?';
  const offset = `+${duration(((span.timestamp ?? start) - start) / 1_000)}`;
  const lasted = duration((span.duration ?? 0) / 1_000);
  const arrow = span.kind === 'CLIENT' ? paint('dim', '→ ') : '';
  return [`${indent}${paint('cyan', service)} ${arrow}${nameOf(span)}`, paint('dim', offset), lasted];
}

/** "OrderService/CreateOrder" says as much as the name with its package. */
function nameOf({ name = '' }: Span): string {
  return name.replace(/^(?:grpc\.)?(?:[a-z0-9_]+\.)+(?=\w+\/)/, '');
}

function inTime(spans: readonly Span[]): Span[] {
  return spans.toSorted((one, other) => (one.timestamp ?? 0) - (other.timestamp ?? 0));
}
