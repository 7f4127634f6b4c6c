/** How long calls may last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incomingDeadline, outgoingDeadline } from './deadlines.ts';

const NOW = 1_000_000;

test('an outgoing call lasts its own timeout when nobody waits for it', () => {
  assert.equal(outgoingDeadline(2_000, undefined, NOW).getTime(), NOW + 2_000);
});

test('an outgoing call ends 50 ms before its caller does', () => {
  assert.equal(outgoingDeadline(2_000, new Date(NOW + 500), NOW).getTime(), NOW + 450);
});

test('a client that asks for nothing gets 2 s for a read and 10 s for a write', () => {
  assert.equal(incomingDeadline(Infinity, true, NOW).getTime(), NOW + 2_000);
  assert.equal(incomingDeadline(Infinity, false, NOW).getTime(), NOW + 10_000);
});

test('a client may ask for 30 s at most', () => {
  assert.equal(incomingDeadline(new Date(NOW + 5_000), true, NOW).getTime(), NOW + 5_000);
  assert.equal(incomingDeadline(NOW + 3_600_000, true, NOW).getTime(), NOW + 30_000);
});
