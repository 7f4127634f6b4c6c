/** Log lines as a collector of logs reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, trace } from '@opentelemetry/api';
import { createLogger } from './logger.ts';
import type { Logger } from './logger.ts';
import { startTracing, withSpan } from './tracing.ts';

type Line = Record<string, unknown>;

function capture(level = 'info'): { log: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  return { log: createLogger({ service: 'order', instance: 'order-1', level, destination }), lines };
}

test('a line names time, level, service, instance, event and sentence, and nothing of the machine', () => {
  const { log, lines } = capture();
  log.info({ event: 'order_confirmed', orderId: 'o1' }, 'order confirmed');
  const [{ time, ...line } = {}] = lines;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u);
  assert.deepEqual(line, {
    level: 'info',
    service: 'order',
    instance: 'order-1',
    event: 'order_confirmed',
    orderId: 'o1',
    msg: 'order confirmed',
  });
});

test('a line inside a span names trace and span', async () => {
  const { log, lines } = capture();
  const tracing = startTracing({ service: 'order', zipkinUrl: '', sampleRate: 1 });
  const span = await withSpan('work', {}, (active) => {
    log.info('inside');
    return active.spanContext();
  });
  log.info('outside');
  assert.equal(lines[0]?.['traceId'], span.traceId);
  assert.equal(lines[0]?.['spanId'], span.spanId);
  assert.ok(!('traceId' in (lines[1] ?? {})));
  await tracing.shutdown();
  trace.disable();
  context.disable();
});

test('a bigint is written whole, at any depth, and a cycle does no harm', () => {
  const { log, lines } = capture();
  const cycle: Record<string, unknown> = { amount: 2n ** 53n + 1n };
  cycle['self'] = cycle;
  log.info({ minorUnits: 9_007_199_254_740_993n, lines: [{ quantity: 3n }], cycle }, 'amounts');
  assert.equal(lines[0]?.['minorUnits'], '9007199254740993');
  assert.deepEqual(lines[0]?.['lines'], [{ quantity: '3' }]);
  assert.match(JSON.stringify(lines[0]?.['cycle']), /^\{"amount":"9007199254740993",/u);
});

test('an error is written as type, message, stack and causes, without what hangs on it', () => {
  const { log, lines } = capture();
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const error = Object.assign(new TypeError('it failed', { cause }), { request: { token: 'secret' } });
  log.error({ err: error }, 'failed');
  const err = lines[0]?.['err'] as Line;
  assert.equal(err['type'], 'TypeError');
  assert.equal(err['message'], 'it failed');
  assert.match(String(err['stack']), /logger\.test\.ts/u);
  assert.equal((err['cause'] as Line)['code'], 'ECONNREFUSED');
  assert.ok(!JSON.stringify(lines).includes('secret'));
});

test('a database error is written without its message, where values stand', () => {
  const { log, lines } = capture();
  const database = Object.assign(new Error("insert into customers values ('bob@example.com')"), {
    code: '23505',
    detail: 'Key (email)=(bob@example.com) already exists.',
  });
  log.error({ err: new Error('internal error', { cause: database }) }, 'failed');
  const text = JSON.stringify(lines);
  assert.match(text, /SQLSTATE 23505/u);
  assert.match(text, /logger\.test\.ts/u, 'the stack is kept');
  assert.ok(!text.includes('bob@'));
});

test('what was thrown and is no error, is not written', () => {
  const { log, lines } = capture();
  log.error({ err: { token: 'secret' } }, 'failed');
  assert.deepEqual(lines[0]?.['err'], {
    type: 'object',
    message: 'something other than an Error was thrown',
  });
});

test('the level can be changed while running', () => {
  const { log, lines } = capture('warn');
  log.info('unseen');
  log.level = 'info';
  log.info('seen');
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['seen'],
  );
});
