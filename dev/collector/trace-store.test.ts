/** The store stays within its bounds and gives up the oldest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSpans } from './span.ts';
import { DEFAULT_LIMITS, TraceStore } from './trace-store.ts';

type Batch = { trace: number; spans: number[]; bytes?: number };

function put(store: TraceStore, { trace, spans, bytes = 100 }: Batch): void {
  const list = spans.map((id) => ({ traceId: `${trace}`, id: `${id}` }));
  store.add(readSpans(JSON.stringify(list)), bytes);
}

const idOf = (trace: number): string => `${trace}`.padStart(32, '0');
const held = (store: TraceStore): number[] => [...store.newestFirst()].map(([span]) => Number(span?.traceId));

test('beyond so many spans the oldest traces leave', () => {
  const store = new TraceStore({ ...DEFAULT_LIMITS, spans: 5 });
  put(store, { trace: 1, spans: [1, 2] });
  put(store, { trace: 2, spans: [1, 2] });
  put(store, { trace: 1, spans: [3] });
  assert.deepEqual(held(store), [2, 1]);
  put(store, { trace: 3, spans: [1] });
  assert.deepEqual(held(store), [3, 2]);
  assert.equal(store.get(idOf(1)), undefined);
});

test('beyond so many bytes the oldest traces leave', () => {
  const store = new TraceStore({ ...DEFAULT_LIMITS, bytes: 1_000 });
  put(store, { trace: 1, spans: [1, 2], bytes: 600 });
  put(store, { trace: 2, spans: [1], bytes: 300 });
  assert.deepEqual(held(store), [2, 1]);
  put(store, { trace: 3, spans: [1], bytes: 300 });
  assert.deepEqual(held(store), [3, 2]);
});

test('after so long a trace leaves, without another one coming', () => {
  let now = 0;
  const store = new TraceStore({ ...DEFAULT_LIMITS, age: 1_000 }, () => now);
  put(store, { trace: 1, spans: [1] });
  now = 600;
  put(store, { trace: 1, spans: [2] });
  put(store, { trace: 2, spans: [1] });
  now = 1_000;
  assert.deepEqual(held(store), [2]);
});

test('a trace without end loses its last spans, not the other traces', () => {
  const store = new TraceStore({ ...DEFAULT_LIMITS, spans: 100, spansPerTrace: 3 });
  put(store, { trace: 1, spans: [1] });
  for (let id = 1; id < 500; id += 1) put(store, { trace: 2, spans: [id] });
  assert.equal(store.get(idOf(2))?.length, 3);
  assert.deepEqual(held(store), [2, 1]);
});

test('a batch that is sent again changes nothing', () => {
  const store = new TraceStore({ ...DEFAULT_LIMITS, spans: 4 });
  for (let sent = 0; sent < 10; sent += 1) put(store, { trace: 1, spans: [1, 2] });
  put(store, { trace: 2, spans: [1, 2] });
  assert.deepEqual(held(store), [2, 1]);
});

test('whatever comes, the bounds hold', () => {
  const batch = fc.record({
    trace: fc.integer({ min: 1, max: 9 }),
    spans: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }),
    bytes: fc.integer({ min: 1, max: 500 }),
  });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 60 }), (batches) => {
      const store = new TraceStore({ ...DEFAULT_LIMITS, spans: 20, bytes: 2_000 });
      for (const each of batches) {
        put(store, each);
        assert.ok([...store.newestFirst()].flat().length <= 20);
      }
    }),
  );
});
