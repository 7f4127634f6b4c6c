/** Tries what is shown while a fabric starts. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { showProgress } from './progress.ts';
import { SupervisedProcess } from './supervised-process.ts';
import type { Ending } from './supervised-process.ts';

const CRASH: Ending = {
  exit: { code: null, signal: 'SIGKILL' },
  error: undefined,
  asked: false,
  failures: 1,
  wait: 500,
};

function screen(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  return { stream, text: () => text };
}

function processInState(state: SupervisedProcess['state']): SupervisedProcess {
  const never = (): Promise<never> => Promise.reject(new Error('not here'));
  const spec = { name: 'order-1', service: 'order', needs: [], logFile: '/l/order-1.log', start: never };
  const process = new SupervisedProcess({ ...spec, isReady: () => Promise.resolve(false) }, () => undefined);
  process.state = state;
  return process;
}

test('without a terminal each event is a plain line', () => {
  const { stream, text } = screen(false);
  const progress = showProgress(stream);
  progress.begin([processInState('starting')]);
  progress.observe(processInState('starting'));
  progress.observe(processInState('ready'));
  progress.observe(processInState('down'), CRASH);
  progress.settle();
  equal(text(), stripVTControlCharacters(text()));
  const lines = text().trimEnd().split('\n');
  equal(lines.length, 2);
  match(lines[0] ?? '', /^ready {2}order-1 +started in/);
  equal(lines[1], 'down   order-1 was ended by SIGKILL; starting it again in 500 ms');
});

test('on a terminal there is one line per process, whatever is said meanwhile', () => {
  const { stream, text } = screen(true);
  const progress = showProgress(stream);
  progress.begin([processInState('ready'), processInState('waiting')]);
  progress.say('hello');
  progress.settle();
  // What stands on the screen is what was written after the last erasing.
  const left = stripVTControlCharacters(text().split('\u001b[J').at(-1) ?? '');
  deepEqual(
    left.split('\n').map((line) => line.trim()),
    ['✓ order-1      ready', '· order-1      waiting', ''],
  );
  ok(text().includes('hello\n'));
});

test('repeated failures say where the log is', () => {
  const { stream, text } = screen(false);
  showProgress(stream).observe(processInState('down'), { ...CRASH, failures: 3, wait: 2_000 });
  match(text(), /failure 3 in a row, log: \/l\/order-1\.log/);
});
