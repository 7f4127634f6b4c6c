/** A key ring and an issuer that rotates, fails, stalls, drips, is cut off, and answers nonsense. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { StatusError } from '../rpc/status-error.ts';
import { signingKey, startIssuer } from './issuer.fixture.ts';
import type { Issuer, Mode } from './issuer.fixture.ts';
import { issuerKeys } from './issuer-keys.ts';
import { KeyRing } from './key-ring.ts';

const [k1, k2] = [signingKey('k1'), signingKey('k2')];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Bench = { issuer: Issuer; ring: KeyRing; pass: (ms: number) => void; changes: () => number };

const issuers: Issuer[] = [];
after(() => Promise.all(issuers.map((issuer) => issuer[Symbol.asyncDispose]())));

async function bench(): Promise<Bench> {
  const issuer = await startIssuer([k1]);
  issuers.push(issuer);
  let time = 0;
  let changes = 0;
  const ring = new KeyRing({
    fetchKeys: issuerKeys(issuer.url),
    clock: () => time,
    onChange: () => {
      changes += 1;
    },
  });
  return {
    issuer,
    ring,
    pass: (ms) => {
      time += ms;
    },
    changes: () => changes,
  };
}

/** Waits until the issuer was asked that often; a background refresh has no promise to wait for. */
async function asked(issuer: Issuer, hits: number): Promise<void> {
  for (let wait = 0; wait < 100 && issuer.hits < hits; wait += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(issuer.hits, hits);
}

async function assertUnavailable(finding: Promise<unknown>): Promise<void> {
  await assert.rejects(finding, (error: unknown) => {
    assert.ok(error instanceof StatusError && error.cause instanceof Error);
    assert.equal(error.code, status.UNAVAILABLE);
    assert.equal(error.reason, 'KEYS_UNAVAILABLE');
    return true;
  });
}

test('500 finds at once make one request, and the key is at hand afterwards', async () => {
  const { issuer, ring } = await bench();
  const found = await Promise.all(Array.from({ length: 500 }, () => ring.find('k1')));
  assert.ok(found.every((key) => key?.equals(k1.publicKey) === true));
  assert.ok(ring.held('k1')?.equals(k1.publicKey));
  assert.equal(issuer.hits, 1);
});

test('a flood of unknown kids makes one request in 30 s and harms no known one', async () => {
  const { issuer, ring, pass } = await bench();
  await ring.find('k1');
  for (let i = 0; i < 10_000; i += 1) assert.equal(await ring.find(`unknown-${i}`), undefined);
  assert.equal(issuer.hits, 2);
  assert.ok(ring.held('k1'));
  pass(30_000);
  await ring.find('unknown');
  assert.equal(issuer.hits, 3);
});

test('a rotated key is found at its first token, and the set is then another one', async () => {
  const { issuer, ring, changes } = await bench();
  await ring.find('k1');
  issuer.keys = [k2.jwk, k1.jwk];
  assert.ok((await ring.find('k2'))?.equals(k2.publicKey));
  assert.ok(ring.held('k1'));
  assert.equal(changes(), 2);
});

test('keys are refreshed in the background after 5 minutes; a removed one goes', async () => {
  const { issuer, ring, pass, changes } = await bench();
  await ring.find('k1');
  pass(5 * MINUTE);
  assert.ok(ring.held('k1'));
  assert.equal(issuer.hits, 1);
  issuer.keys = [k2.jwk];
  pass(1);
  assert.ok(ring.held('k1'), 'served while it is asked');
  await asked(issuer, 2);
  assert.equal(ring.held('k1'), undefined);
  assert.ok(ring.held('k2'));
  assert.equal(changes(), 2);
});

test('the same keys again are no change', async () => {
  const { issuer, ring, pass, changes } = await bench();
  await ring.find('k1');
  pass(6 * MINUTE);
  ring.held('k1');
  await asked(issuer, 2);
  assert.equal(changes(), 1);
});

for (const [header, freshFor] of [
  ['max-age=120', 2 * MINUTE],
  ['public, max-age=5', MINUTE],
  ['max-age=86400', 5 * MINUTE],
  ['no-store', 5 * MINUTE],
] as const) {
  test(`Cache-Control: ${header} keeps keys fresh for ${freshFor / MINUTE} min`, async () => {
    const { issuer, ring, pass } = await bench();
    issuer.cacheControl = header;
    await ring.find('k1');
    pass(freshFor);
    ring.held('k1');
    await asked(issuer, 1);
    pass(1);
    ring.held('k1');
    await asked(issuer, 2);
  });
}

const BAD: Mode[] = ['error', 'stalled', 'dripping', 'cut', 'big', 'html', 'redirect', 'empty'];
suite('an issuer in trouble', { concurrency: true }, () => {
  for (const mode of BAD) {
    test(`keys are ${mode}: old ones serve on without waiting`, async () => {
      const { issuer, ring, pass } = await bench();
      await ring.find('k1');
      issuer.jwks = mode;
      pass(6 * MINUTE);
      for (let i = 0; i < 50; i += 1) assert.ok(ring.held('k1'));
      await asked(issuer, 2);
      ring.held('k1');
      await asked(issuer, 2);
      pass(17 * HOUR);
      assert.ok(ring.held('k1'));
    });

    test(`keys are ${mode}: unavailable within 2 s when there is none yet, then well again`, async () => {
      const { issuer, ring, pass } = await bench();
      issuer.jwks = mode;
      const started = performance.now();
      await assertUnavailable(ring.find('k1'));
      assert.ok(performance.now() - started < 5_000);
      issuer.jwks = 'ok';
      await assertUnavailable(ring.find('k1'));
      assert.equal(issuer.hits, 1, 'asked once a second at most');
      pass(1_000);
      assert.ok(await ring.find('k1'));
    });
  }

  for (const mode of ['error', 'stalled', 'html', 'big'] as const) {
    test(`discovery is ${mode}: unavailable, then well again`, async () => {
      const { issuer, ring, pass } = await bench();
      issuer.discovery = mode;
      await assertUnavailable(ring.find('k1'));
      issuer.discovery = 'ok';
      pass(1_000);
      assert.ok(await ring.find('k1'));
    });
  }
});

for (const [name, document] of [
  ['speaks for another issuer', { issuer: 'https://evil.example' }],
  ['names no keys', { jwks_uri: undefined }],
  ['names a file', { jwks_uri: 'file:///etc/passwd' }],
] as const) {
  test(`a discovery document that ${name} is not believed`, async () => {
    const { issuer, ring } = await bench();
    issuer.document = document;
    await assertUnavailable(ring.find('k1'));
    assert.equal(issuer.hits, 0);
  });
}

test('after 24 hours of silence old keys are no longer trusted', async () => {
  const { issuer, ring, pass } = await bench();
  await ring.find('k1');
  issuer.jwks = 'error';
  pass(24 * HOUR);
  assert.ok(ring.held('k1'));
  pass(1);
  assert.equal(ring.held('k1'), undefined);
  await assertUnavailable(ring.find('k1'));
  issuer.jwks = 'ok';
  pass(1_000);
  assert.ok(await ring.find('k1'));
});

test('a set with broken and foreign entries gives its good keys', async () => {
  const { issuer, ring } = await bench();
  issuer.keys = [
    { kty: 'RSA', kid: 'broken', n: '!', e: 'AQAB' },
    { kty: 'oct', kid: 'secret', k: 'AAAA' },
    k1.jwk,
  ];
  assert.ok(await ring.find('k1'));
  assert.equal(await ring.find('broken'), undefined);
  assert.equal(await ring.find('secret'), undefined);
});

test('a moved key set is found again through discovery', async () => {
  const { issuer, ring, pass } = await bench();
  await ring.find('k1');
  const other = await startIssuer([k2]);
  issuers.push(other);
  issuer.document = { jwks_uri: `${other.url}/keys` };
  issuer.jwks = 'error';
  assert.equal(await ring.find('k2'), undefined, 'the old place fails');
  pass(30_000);
  assert.ok(await ring.find('k2'));
});
