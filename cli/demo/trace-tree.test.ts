/** Tries how a trace is drawn. */
import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { traceTree } from './trace-tree.ts';

const at = (timestamp: number, duration: number, serviceName: string): object => ({
  timestamp,
  duration,
  localEndpoint: { serviceName },
});

test('children stand below their parent in the order of time', () => {
  const drawn = traceTree([
    { id: 'c', parentId: 'a', name: 'later', ...at(3_000_000, 20_000, 'order') },
    {
      id: 'b',
      parentId: 'a',
      name: 'grpc.mercer.order.v1.OrderService/CreateOrder',
      kind: 'CLIENT',
      ...at(1_500_000, 1_500_000, 'gateway'),
    },
    { id: 'a', name: 'POST /v1/orders', ...at(1_000_000, 2_500_000, 'gateway') },
  ]);
  equal(
    stripVTControlCharacters(drawn),
    [
      '  gateway POST /v1/orders               +0 ms    2.5 s',
      '    gateway → OrderService/CreateOrder  +500 ms  1.5 s',
      '    order later                         +2.0 s   20 ms',
    ].join('\n'),
  );
});

test('a span whose parent never came stands at the root', () => {
  const drawn = traceTree([{ id: 'b', parentId: 'lost', name: 'orphan', ...at(1, 1_000, 'order') }]);
  equal(stripVTControlCharacters(drawn), '  order orphan  +0 ms  1.0 ms');
});
