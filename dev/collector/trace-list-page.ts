/** The page that lists recent traces. */
import { html } from '../stand-in/html.ts';
import type { Html } from '../stand-in/html.ts';
import { page } from '../stand-in/page.ts';
import type { HttpAnswer } from '../stand-in/router.ts';
import { STYLE, colourOf, durationText, shortName, timeText } from './page-style.ts';
import type { Span } from './span.ts';
import { summaryOf } from './trace-summary.ts';
import type { TraceSummary } from './trace-summary.ts';

/** What it shows. */
export type TraceList = { traces: readonly Span[][]; services: readonly string[]; query: URLSearchParams };

/** A form to look for traces, and those found, each leading to its own page. */
export function traceListPage({ traces, services, query }: TraceList): HttpAnswer {
  const summaries = traces.map(summaryOf);
  const longest = Math.max(1, ...summaries.map(({ duration }) => duration));
  const rows = summaries.map((summary) => row(summary, longest, services));
  const empty = html`<p class="empty">No trace fits. Traces appear here as soon as a request was served.</p>`;
  const body = html`<main>
    <h1>Traces</h1>
    <p class="sub">newest first, times in UTC</p>
    ${form(services, query)}
    <div class="sheet">${rows.length === 0 ? empty : rows}</div>
  </main>`;
  return page({ title: 'Traces', style: STYLE, body });
}

function form(services: readonly string[], query: URLSearchParams): Html {
  const chosen = query.get('serviceName') ?? '';
  const options = services.map((service) =>
    service === chosen ? html`<option selected>${service}</option>` : html`<option>${service}</option>`,
  );
  return html`<form>
    <label
      >Service<select name="serviceName">
        <option value="">any</option>
        ${options}
      </select></label
    >
    <label>Span<input name="spanName" value="${query.get('spanName') ?? ''}" /></label>
    <label
      >Tags<input name="annotationQuery" placeholder="error" value="${query.get('annotationQuery') ?? ''}"
    /></label>
    <label
      >At least, µs<input
        name="minDuration"
        inputmode="numeric"
        size="9"
        value="${query.get('minDuration') ?? ''}"
    /></label>
    <label
      >Show<input name="limit" inputmode="numeric" size="4" value="${query.get('limit') ?? '50'}"
    /></label>
    <button>Find</button>
  </form>`;
}

function row(summary: TraceSummary, longest: number, services: readonly string[]): Html {
  const { traceId, name, service, began, duration, spans, failed } = summary;
  const width = Math.max(2, Math.round((duration / longest) * 1_000));
  const colour = colourOf(service, services);
  return html`<a class="row" href="/zipkin/traces/${traceId}">
    <span class="name"
      ><span class="service ${colour}">${service}</span>
      ${shortName(name)}${failed ? html` <span class="failed">error</span>` : ''}
      <span class="faint">${timeText(began)} · ${spans} spans · ${summary.services.join(', ')}</span></span
    >
    <svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
      <rect class="${colour}" width="${width}" height="12" />
    </svg>
    <span class="took">${durationText(duration)}</span></a
  >`;
}
