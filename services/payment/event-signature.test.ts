/** Only who knows the secret can sign an event, and only for these five minutes. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { verifySignature } from './event-signature.ts';

const NOW = new Date('2026-11-23T12:00:00.900Z');
const SECONDS = Math.floor(NOW.getTime() / 1_000);
const SECRET = 'a secret of the tests';
const BODY = Buffer.from('{"id":"evt_1","name":"Jos\u00e9"}');

const v1 = (secret = SECRET, time: number | string = SECONDS, body = BODY): string =>
  createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex');
const header = (time: number | string): string => `t=${time},v1=${v1(SECRET, time)}`;
const other = v1('the key before this one');

const GOOD: Record<string, string> = {
  'signed now': header(SECONDS),
  '5 minutes ago': header(SECONDS - 299),
  '5 minutes ahead': header(SECONDS + 300),
  'the right one first of two': `t=${SECONDS},v1=${v1()},v1=${other}`,
  'the right one last of two': `t=${SECONDS},v1=${other},v1=${v1()}`,
  'other parts, and spaces': `t=${SECONDS}, v0=${other}, v1=${v1()}`,
};

for (const [name, signature] of Object.entries(GOOD)) {
  test(`taken: ${name}`, () => verifySignature({ body: BODY, signature }, { secret: SECRET, now: NOW }));
}

const BAD: Record<string, string | undefined> = {
  'no header': undefined,
  'an empty header': '',
  'another secret': `t=${SECONDS},v1=${other}`,
  'older than 5 minutes': header(SECONDS - 300),
  'more than 5 minutes ahead': header(SECONDS + 301),
  'a time that was not signed': `t=${SECONDS},v1=${v1(SECRET, SECONDS - 1)}`,
  'a body that was not signed': `t=${SECONDS},v1=${v1(SECRET, SECONDS, Buffer.from('{"id":"evt_2"}'))}`,
  'no time': `v1=${v1()}`,
  'two times': `t=${SECONDS},t=${SECONDS},v1=${v1()}`,
  'no signature': `t=${SECONDS}`,
  'a signature of an older scheme': `t=${SECONDS},v0=${v1()}`,
  'a part of a signature': `t=${SECONDS},v1=${v1().slice(0, 32)}`,
  'more than a signature': `t=${SECONDS},v1=${v1()}00`,
  'upper case': `t=${SECONDS},v1=${v1().toUpperCase()}`,
  'a time that is no number': `t=NaN,v1=${v1(SECRET, 'NaN')}`,
  'a time with a sign': `t=+${SECONDS},v1=${v1(SECRET, `+${SECONDS}`)}`,
};

for (const [name, signature] of Object.entries(BAD)) {
  test(`refused: ${name}`, () => {
    assert.throws(() => verifySignature({ body: BODY, signature }, { secret: SECRET, now: NOW }), invalid);
  });
}

test('without a secret nothing is taken, not even what is signed with none', () => {
  const signature = `t=${SECONDS},v1=${v1('')}`;
  assert.throws(() => verifySignature({ body: BODY, signature }, { secret: '', now: NOW }), invalid);
});

function invalid(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.code === status.UNAUTHENTICATED &&
    error.reason === 'SIGNATURE_INVALID'
  );
}
