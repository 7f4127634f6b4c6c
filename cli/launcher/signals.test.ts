/** Tries how requests to stop are counted, in a process of its own. */
import { equal } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const PROGRAM = `
  import { onStopSignals } from ${JSON.stringify(join(import.meta.dirname, 'signals.ts'))};
  onStopSignals(() => process.stdout.write('first '), () => { process.stdout.write('second'); process.exit(0); });
  setInterval(() => {}, 1000);
  process.stdout.write('ready ');`;

test('an echo of the first request is not a second one', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM]);
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
  });
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  await sleep(50);
  child.kill('SIGTERM');
  await sleep(600);
  equal(text, 'ready first ');
  child.kill('SIGINT');
  await once(child, 'close');
  equal(text, 'ready first second');
});
