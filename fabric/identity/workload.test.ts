/** Identities in certificates, as node:tls prints them and as files hold them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openAuthority } from './pki.ts';
import { peerIdentity, readWorkloadCredentials } from './workload.ts';

const dir = await mkdtemp(join(tmpdir(), 'workload-'));
after(() => rm(dir, { recursive: true }));
const authority = await openAuthority(join(dir, 'ca'));

const NAMES: [string | undefined, string | undefined][] = [
  ['URI:spiffe://mercer/svc/order', 'svc/order'],
  ['URI:spiffe://mercer/svc/order, DNS:order, DNS:localhost, IP Address:127.0.0.1', 'svc/order'],
  ['DNS:order, URI:spiffe://mercer/dev/alice-2', 'dev/alice-2'],
  [undefined, undefined],
  ['', undefined],
  ['DNS:order', undefined],
  ['URI:spiffe://elsewhere/svc/order', undefined],
  ['URI:spiffe://mercer/svc/order/admin', undefined],
  ['URI:spiffe://mercer/svc/', undefined],
  ['URI:spiffe://mercer/svc/Order', undefined],
  ['URI:spiffe://mercer/root/order', undefined],
  ['URI:https://mercer/svc/order', undefined],
  ['URI:spiffe://mercer/svc/order, URI:spiffe://mercer/svc/payment', undefined],
  ['URI:spiffe://mercer/svc/order, URI:https://example.com/', undefined],
  ['DNS:"a, URI:spiffe://mercer/svc/order, b"', undefined],
];
for (const [names, identity] of NAMES) {
  test(`${names ?? 'no names'} is ${identity ?? 'nobody'}`, () => {
    assert.equal(peerIdentity(names), identity);
  });
}

test('credentials are read with the identity that they prove', async () => {
  const files = await authority.issue('svc/order', { dir, hours: 1 });
  const credentials = readWorkloadCredentials(files);
  assert.equal(credentials.identity, 'svc/order');
  assert.match(credentials.cert.toString(), /BEGIN CERTIFICATE/u);
  assert.match(credentials.key.toString(), /BEGIN PRIVATE KEY/u);
});

test('each file that is missing or wrong is named', async () => {
  const files = await authority.issue('svc/payment', { dir });
  const others = await authority.issue('svc/product', { dir });
  const junk = join(dir, 'junk.pem');
  await writeFile(junk, 'junk');
  assert.throws(
    () => readWorkloadCredentials({ ...files, cert: '/nowhere.pem' }),
    /\/nowhere\.pem cannot be read/u,
  );
  assert.throws(() => readWorkloadCredentials({ ...files, ca: '' }), /no name was given/u);
  assert.throws(
    () => readWorkloadCredentials({ ...files, key: others.key }),
    /svc-product\.key does not belong to/u,
  );
  assert.throws(() => readWorkloadCredentials({ ...files, cert: junk }), /junk\.pem is no PEM certificate/u);
  assert.throws(() => readWorkloadCredentials({ ...files, key: junk }), /junk\.pem is no PEM private key/u);
  assert.throws(
    () => readWorkloadCredentials({ ...files, cert: files.ca, key: join(dir, 'ca/ca.key') }),
    /no identity/u,
  );
});

test('a certificate that is over is refused, with its end', async () => {
  const files = await authority.issue('svc/late', { dir, hours: 1e-7 });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  assert.throws(() => readWorkloadCredentials(files), /svc-late\.pem ended at \d{4}-/u);
});
