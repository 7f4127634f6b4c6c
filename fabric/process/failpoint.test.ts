/** Failpoints: nothing unless set, and set only where chaos is allowed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SettingsError } from '../settings/settings-error.ts';
import { armFailpoints, failpoint, FAILPOINT_EXIT } from './failpoint.ts';

afterEach(() => armFailpoints([], false));

test('a failpoint that is not set does nothing, whatever else is', async () => {
  armFailpoints([{ name: 'order.after_charge', act: 'throw', pass: undefined }], true);
  await failpoint('order.before_charge');
});

test('a failpoint throws at every passage, or at the one that was named', async () => {
  armFailpoints([{ name: 'order.after_charge', act: 'throw', pass: undefined }], true);
  for (let passage = 1; passage <= 3; passage += 1)
    await assert.rejects(failpoint('order.after_charge'), /failpoint order\.after_charge/u);
  armFailpoints([{ name: 'order.after_charge', act: 'throw', pass: 2 }], true);
  await failpoint('order.after_charge');
  await assert.rejects(failpoint('order.after_charge'));
  await failpoint('order.after_charge');
});

test('a failpoint that hangs is never left', async () => {
  armFailpoints([{ name: 'order.after_charge', act: 'hang', pass: undefined }], true);
  const left = failpoint('order.after_charge').then(() => 'left');
  assert.equal(await Promise.race([left, sleep(50, 'still there')]), 'still there');
});

test('a failpoint ends the process at once, with a code of its own', async () => {
  const module = JSON.stringify(new URL('failpoint.ts', import.meta.url).href);
  const program = `const { armFailpoints, failpoint } = await import(${module});
    process.on('beforeExit', () => console.log('orderly'));
    armFailpoints([{ name: 'order.after_charge', act: 'exit', pass: undefined }], true);
    await failpoint('order.after_charge');
    console.log('left');`;
  const run = Promise.withResolvers<unknown[]>();
  execFile(process.execPath, ['--input-type=module', '--eval', program], (error, output) =>
    run.resolve([error?.code, output]),
  );
  assert.deepEqual(await run.promise, [FAILPOINT_EXIT, '']);
});

test('failpoints without chaos are refused in one sentence, and none is set', async () => {
  const points = [{ name: 'order.after_charge', act: 'throw', pass: undefined }] as const;
  assert.throws(
    () => armFailpoints(points, false),
    (error) => {
      assert.ok(error instanceof SettingsError);
      assert.equal(error.message, 'failpoint is given, but failpoints act only with MERCER_CHAOS=1');
      return true;
    },
  );
  await failpoint('order.after_charge');
});
