/** The ledger file after crashes: what was answered is there, what was cut short is not. */
import assert from 'node:assert/strict';
import { appendFile, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchFolder } from '../stand-in/stand-in.fixture.ts';
import type { Entry } from './domain.ts';
import { openLedger } from './ledger.ts';

const folder = await scratchFolder();
const entry = (chargeId: string): Entry => ({ kind: 'void', chargeId, time: '2026-11-23T12:00:00.000Z' });

test('entries are read again in the order in which they were taken', async () => {
  const file = join(folder, 'order');
  const ledger = await openLedger(file);
  for (let index = 0; index < 500; index += 1) ledger.append(entry(`ch-${index}`));
  await ledger.flushed();
  ledger.append(entry('ch-500'));
  await ledger.close();
  const { entries, close } = await openLedger(file);
  assert.deepEqual(
    entries,
    Array.from({ length: 501 }, (_, index) => entry(`ch-${index}`)),
  );
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await close();
});

test('what is flushed is in the file', async () => {
  const file = join(folder, 'flushed');
  const ledger = await openLedger(file);
  ledger.append(entry('a'));
  await ledger.flushed();
  assert.equal(await readFile(file, 'utf8'), `${JSON.stringify(entry('a'))}\n`);
  await ledger.close();
});

test('a last line that was cut short at any byte is dropped, and the next one starts afresh', async () => {
  const file = join(folder, 'torn');
  const whole = `${JSON.stringify(entry('whole'))}\n`;
  const last = `${JSON.stringify(entry('ä€'))}\n`;
  for (let kept = 0; kept < Buffer.byteLength(last); kept += 1) {
    await writeFile(file, whole + last);
    await truncate(file, Buffer.byteLength(whole) + kept);
    const ledger = await openLedger(file);
    assert.deepEqual(ledger.entries, [entry('whole')]);
    ledger.append(entry('next'));
    await ledger.close();
    assert.equal(await readFile(file, 'utf8'), `${whole}${JSON.stringify(entry('next'))}\n`);
  }
});

test('a damaged line elsewhere is named, and nothing is dropped', async () => {
  const file = join(folder, 'damaged');
  await writeFile(file, `${JSON.stringify(entry('a'))}\n{"kind"\n`);
  await appendFile(file, `${JSON.stringify(entry('b'))}\n`);
  await assert.rejects(openLedger(file), /line 2 of the ledger is damaged/u);
  assert.equal((await readFile(file, 'utf8')).split('\n').length, 4);
});

test('after a write that failed nothing is ever called written again', async () => {
  const ledger = await openLedger(join(folder, 'closed'));
  await ledger.close();
  ledger.append(entry('a'));
  await assert.rejects(ledger.flushed(), { code: 'EBADF' });
  ledger.append(entry('b'));
  await assert.rejects(ledger.flushed(), { code: 'EBADF' });
});
