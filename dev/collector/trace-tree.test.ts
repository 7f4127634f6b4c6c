/** Who called whom, from spans in any order, of any make and of any quality. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dependencyLinks } from './dependencies.ts';
import { readSpans } from './span.ts';
import type { Span } from './span.ts';
import { treeOf, walk } from './trace-tree.ts';

const TRACE = 'a'.repeat(32);

function span(id: string, service: string, more: object = {}): object {
  return {
    traceId: TRACE,
    id,
    name: id,
    timestamp: Number.parseInt(id, 16),
    localEndpoint: { serviceName: service },
    ...more,
  };
}

const read = (...spans: object[]): Span[] => readSpans(JSON.stringify(spans));

function outline(trace: Span[]): string[] {
  return [...walk(treeOf(trace))].map(({ branch, depth }) => {
    const { localEndpoint, name, shared } = branch.span;
    return `${'-'.repeat(depth)}${localEndpoint?.serviceName}:${Number.parseInt(name ?? '', 16)}${shared === true ? 's' : ''}`;
  });
}

const purchase = read(
  span('4', 'payment', { parentId: '3', kind: 'SERVER' }),
  span('1', 'gateway', { kind: 'SERVER' }),
  span('3', 'order', { parentId: '2', kind: 'CLIENT' }),
  span('2', 'order', { parentId: '1', kind: 'SERVER' }),
  span('5', 'payment', {
    parentId: '4',
    kind: 'CLIENT',
    remoteEndpoint: { serviceName: 'postgres' },
    tags: { error: 'x' },
  }),
);

test('spans find their parents whatever the order in which they arrive', () => {
  const expected = ['gateway:1', '-order:2', '--order:3', '---payment:4', '----payment:5'];
  fc.assert(
    fc.property(fc.shuffledSubarray(purchase, { minLength: purchase.length }), (shuffled) => {
      assert.deepEqual(outline(shuffled), expected);
    }),
  );
});

test('both halves of a shared span are told apart, and each keeps its own children', () => {
  const trace = read(
    span('1', 'web', { kind: 'CLIENT' }),
    span('1', 'api', { kind: 'SERVER', shared: true }),
    span('2', 'api', { parentId: '1' }),
    span('3', 'web', { parentId: '1' }),
  );
  assert.deepEqual(outline(trace), ['web:1', '-api:1s', '--api:2', '-web:3']);
  assert.deepEqual(dependencyLinks([trace]), [{ parent: 'web', child: 'api', callCount: 1 }]);
});

test('an orphan is a root, and spans that name each other are not lost', () => {
  assert.deepEqual(outline(read(span('2', 'a', { parentId: '9' }), span('1', 'a'))), ['a:1', 'a:2']);
  assert.equal(outline(read(span('1', 'a', { parentId: '2' }), span('2', 'a', { parentId: '1' }))).length, 2);
  assert.equal(outline(read(span('1', 'a', { parentId: '1' }))).length, 1);
});

test('whatever spans say of their parents, each appears exactly once', () => {
  const anySpan = fc.record({
    id: fc.integer({ min: 1, max: 9 }),
    parentId: fc.integer({ min: 1, max: 9 }),
    shared: fc.boolean(),
    service: fc.constantFrom('a', 'b'),
  });
  fc.assert(
    fc.property(fc.array(anySpan, { maxLength: 15 }), (spans) => {
      const trace = read(
        ...spans.map(({ id, parentId, shared, service }) =>
          span(`${id}`, service, { parentId: `${parentId}`, shared }),
        ),
      );
      assert.equal([...walk(treeOf(trace))].length, trace.length);
      dependencyLinks([trace]);
    }),
  );
});

test('calls are counted between services, with their errors, and with peers that report nothing', () => {
  assert.deepEqual(dependencyLinks([purchase, purchase]), [
    { parent: 'gateway', child: 'order', callCount: 2 },
    { parent: 'order', child: 'payment', callCount: 2 },
    { parent: 'payment', child: 'postgres', callCount: 2, errorCount: 2 },
  ]);
});
