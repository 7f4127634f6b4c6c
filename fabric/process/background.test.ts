/** Background work: round after round, whatever a round comes to, until it is stopped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { inBackground } from './background.ts';

const log = pino({ level: 'silent' });

test('rounds follow each other, also after one that failed, and never overlap', async () => {
  let [rounds, open, most] = [0, 0, 0];
  const { promise: fifth, resolve: reached } = Promise.withResolvers<undefined>();
  const work = inBackground({ name: 'work', pause: 1, log }, async () => {
    rounds += 1;
    if (rounds === 5) reached(undefined);
    open += 1;
    most = Math.max(most, open);
    await sleep(5);
    open -= 1;
    if (rounds === 1) throw new Error('the first one failed');
  });
  await fifth;
  await work.stop();
  assert.equal(most, 1);
});

test('stopping waits for the round under way, and no other begins', async () => {
  let [begun, ended] = [0, 0];
  const work = inBackground({ name: 'work', pause: 1, log }, async (signal) => {
    begun += 1;
    await sleep(40);
    assert.ok(signal.aborted);
    ended += 1;
  });
  await sleep(10);
  await work.stop();
  assert.deepEqual([begun, ended], [1, 1]);
  await sleep(20);
  assert.equal(begun, 1);
});

test('stopping does not wait for a pause', async () => {
  const work = inBackground({ name: 'work', pause: 60_000, log }, () => Promise.resolve());
  await sleep(10);
  const before = Date.now();
  await work.stop();
  assert.ok(Date.now() - before < 2_000);
});
