/** The page that shows one trace: its spans as a tree, each with its place in time. */
import { html } from '../stand-in/html.ts';
import type { Html } from '../stand-in/html.ts';
import { page } from '../stand-in/page.ts';
import type { HttpAnswer } from '../stand-in/router.ts';
import { STYLE, colourOf, durationText, shortName, timeText } from './page-style.ts';
import type { Endpoint, Span } from './span.ts';
import { summaryOf } from './trace-summary.ts';
import type { TraceSummary } from './trace-summary.ts';
import { treeOf, walk } from './trace-tree.ts';
import type { Branch } from './trace-tree.ts';

/** Deeper spans are drawn as deep as this. */
const DEEPEST = 12;

/** A row for each span, which opens to show its tags; `services` are all that ever reported, for their colours. */
export function tracePage(trace: readonly Span[], services: readonly string[]): HttpAnswer {
  const summary = summaryOf(trace);
  const rows = [...walk(treeOf(trace))].map((place) => row(place, summary, services));
  const { traceId, name, service, began, duration, spans } = summary;
  const body = html`<main>
    <p class="sub"><a href="/">Traces</a> / ${traceId}</p>
    <h1><span class="service ${colourOf(service, services)}">${service}</span> ${name}</h1>
    <p class="sub">
      ${timeText(began)} · ${durationText(duration)} · ${spans} spans · ${summary.services.join(', ')} ·
      <a href="/api/v2/trace/${traceId}">JSON</a>
    </p>
    <div class="sheet">${rows}</div>
  </main>`;
  return page({ title: `${service} ${name}`, style: STYLE, body });
}

type Place = { branch: Branch; depth: number };

function row({ branch, depth }: Place, { began, duration }: TraceSummary, services: readonly string[]): Html {
  const { span } = branch;
  const { name = 'unnamed', timestamp = began, localEndpoint, tags = {} } = span;
  const service = localEndpoint?.serviceName ?? 'unknown';
  const share = (microseconds: number): number => Math.round((microseconds / Math.max(1, duration)) * 1_000);
  const from = Math.min(share(timestamp - began), 998);
  const width = Math.max(2, share(span.duration ?? 0));
  const colour = colourOf(service, services);
  const guides = Array.from({ length: Math.min(depth, DEEPEST) }, () => html`<span class="guide">│</span>`);
  return html`<details>
    <summary class="row">
      <span class="name"
        >${guides}<span class="service ${colour}">${service}</span>
        <span title="${name}" class="${tags['error'] === undefined ? '' : 'failed'}"
          >${shortName(name)}</span
        ></span
      >
      <svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
        <rect class="${colour}" x="${from}" width="${width}" height="12" />
      </svg>
      <span class="took">${span.duration === undefined ? '' : durationText(span.duration)}</span>
    </summary>
    ${facts(span, began)}
  </details>`;
}

function facts(span: Span, began: number): Html {
  const { id, parentId = '', kind, timestamp, localEndpoint, remoteEndpoint } = span;
  const after = (time: number): string => `+ ${durationText(Math.max(0, time - began))}`;
  const entries: [string, string][] = [
    ['begins', timestamp === undefined ? '' : after(timestamp)],
    ['kind', kind?.toLowerCase() ?? ''],
    ['span', id],
    ['parent', parentId],
    ['at', addressText(localEndpoint)],
    ['peer', addressText(remoteEndpoint)],
    ...Object.entries(span.tags ?? {}),
    ...(span.annotations ?? []).map(({ timestamp: time, value }): [string, string] => [after(time), value]),
  ];
  const told = entries.filter(([, value]) => value !== '');
  return html`<dl>
    ${told.map(
      ([key, value]) =>
        html`<dt>${key}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

function addressText({ serviceName = '', ipv4, ipv6, port }: Endpoint = {}): string {
  const host = ipv4 ?? ipv6 ?? '';
  const address = port === undefined ? host : `${host}:${port}`;
  return [serviceName, address].filter((part) => part !== '').join(' ');
}
