/** Keeps the newest traces in memory, within bounds. */
import type { Span } from './span.ts';

/** What is kept at most. */
export type StoreLimits = {
  spans: number;
  /** Of the JSON that spans arrived as. */
  bytes: number;
  /** Of one trace; more are dropped, so that a trace without end cannot push out all others. */
  spansPerTrace: number;
  /** Milliseconds since the first span of a trace arrived. */
  age: number;
};

/** Room for some thousand purchases, in about 100 MB. */
export const DEFAULT_LIMITS: StoreLimits = {
  spans: 50_000,
  bytes: 64 * 1024 * 1024,
  spansPerTrace: 5_000,
  age: 24 * 3_600_000,
};

type Kept = { spans: Map<string, Span>; bytes: number; arrived: number };

/** Traces in the order of their first arrival; the oldest leave first. */
export class TraceStore {
  readonly #limits: StoreLimits;
  readonly #clock: () => number;
  readonly #traces = new Map<string, Kept>();
  #spans = 0;
  #bytes = 0;

  constructor(limits: StoreLimits = DEFAULT_LIMITS, clock: () => number = Date.now) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Takes spans that arrived together as so many bytes. A span that is there already is replaced. */
  add(spans: readonly Span[], bytes: number): void {
    for (const span of spans) this.#put(span, bytes / spans.length);
    this.#evict();
  }

  /** The spans of a trace in the order of arrival; undefined for one that is not there. */
  get(traceId: string): Span[] | undefined {
    this.#evict();
    const kept = this.#traces.get(traceId);
    return kept === undefined ? undefined : [...kept.spans.values()];
  }

  /** Every trace, newest first. */
  *newestFirst(): Generator<Span[]> {
    this.#evict();
    for (const { spans } of [...this.#traces.values()].toReversed()) yield [...spans.values()];
  }

  #put(span: Span, bytes: number): void {
    const kept = this.#traces.get(span.traceId) ?? { spans: new Map(), bytes: 0, arrived: this.#clock() };
    this.#traces.set(span.traceId, kept);
    const key = `${span.id} ${span.shared === true ? 'shared' : ''} ${span.localEndpoint?.serviceName ?? ''}`;
    const isNew = !kept.spans.has(key);
    if (isNew && kept.spans.size >= this.#limits.spansPerTrace) return;
    kept.spans.set(key, span);
    if (!isNew) return;
    kept.bytes += bytes;
    this.#bytes += bytes;
    this.#spans += 1;
  }

  #evict(): void {
    const { spans, bytes, age } = this.#limits;
    for (const [traceId, kept] of this.#traces) {
      const isOld = kept.arrived <= this.#clock() - age;
      if (!isOld && this.#spans <= spans && this.#bytes <= bytes) return;
      this.#traces.delete(traceId);
      this.#spans -= kept.spans.size;
      this.#bytes -= kept.bytes;
    }
  }
}
