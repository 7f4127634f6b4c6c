/** The local authority, judged by OpenSSL, node:tls and grpc-js. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { promisify } from 'node:util';
import { Client, Metadata, Server, ServerCredentials, credentials, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { openAuthority } from './pki.ts';
import type { IssuedFiles } from './pki.ts';
import { peerIdentity, readWorkloadCredentials } from './workload.ts';
import type { WorkloadCredentials } from './workload.ts';

const run = promisify(execFile);
const root = await mkdtemp(join(tmpdir(), 'pki-'));
after(() => rm(root, { recursive: true }));
const dir = join(root, 'pki');
const authority = await openAuthority(dir);
const order = await authority.issue('svc/order', { dir: join(root, 'order'), hours: 1 });
const alice = await authority.issue('dev/alice', { dir: join(root, 'alice'), hours: 1 });

async function openssl(...args: string[]): Promise<string> {
  return (await run('openssl', args)).stdout;
}

/** OpenSSL judges where it is installed; Node's own reading is tested everywhere. */
const skip = await openssl('version').then(
  () => false,
  () => 'openssl is not installed',
);

async function isIssued({ ca, cert }: Pick<IssuedFiles, 'ca' | 'cert'>): Promise<boolean> {
  const [issuer, leaf] = [new X509Certificate(await readFile(ca)), new X509Certificate(await readFile(cert))];
  return leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test('directory and keys are for the owner alone', async () => {
  assert.equal(await modeOf(dir), '700');
  for (const file of [join(dir, 'ca.key'), order.key, alice.key])
    assert.equal(await modeOf(file), '600', file);
  assert.equal(await modeOf(authority.caFile), '644');
});

test('OpenSSL reads a service certificate as designed', { skip }, async () => {
  const text = await openssl('x509', '-in', order.cert, '-noout', '-text');
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/u);
  assert.match(text, /ASN1 OID: prime256v1/u);
  assert.match(text, /URI:spiffe:\/\/mercer\/svc\/order, DNS:order, DNS:localhost, IP Address:127\.0\.0\.1/u);
  assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/u);
  assert.match(text, /Basic Constraints: critical\s+CA:FALSE/u);
  assert.match(text, /Key Usage: critical\s+Digital Signature\n/u);
  await openssl('x509', '-in', order.cert, '-noout', '-checkend', '3500');
  await assert.rejects(
    openssl('x509', '-in', order.cert, '-noout', '-checkend', '3700'),
    'an hour, not more',
  );
});

test('OpenSSL verifies strictly: services both ways, developers as clients only', { skip }, async () => {
  const verify = (purpose: string, file: string): Promise<string> =>
    openssl('verify', '-x509_strict', '-CAfile', authority.caFile, '-purpose', purpose, file);
  await verify('sslserver', order.cert);
  await verify('sslclient', order.cert);
  await verify('sslclient', alice.cert);
  await assert.rejects(verify('sslserver', alice.cert), /unsuitable certificate purpose/u);
});

test('names that are no identity are refused in a sentence, and nothing is written', async () => {
  const out = join(root, 'refused');
  const names = [
    'order',
    'svc/',
    'svc/Order',
    'svc/a/b',
    'svc/../x',
    'dev/a b',
    'root/x',
    'svc/-a',
    `svc/${'a'.repeat(64)}`,
  ];
  for (const name of names)
    await assert.rejects(authority.issue(name, { dir: out }), /is no identity: write svc\/NAME/u);
  await assert.rejects(readdir(out));
});

test('opened again, the authority is the same', async () => {
  const before = await readFile(authority.caFile, 'utf8');
  const again = await openAuthority(dir);
  const product = await again.issue('svc/product', { dir: root, days: 30 });
  assert.equal(await readFile(again.caFile, 'utf8'), before);
  assert.ok(await isIssued({ ca: authority.caFile, cert: product.cert }));
});

test('six processes that open it at once make one authority', async () => {
  const shared = join(root, 'shared');
  const script = `
    const { openAuthority } = await import(process.argv[1]);
    const authority = await openAuthority(process.argv[2]);
    await authority.issue(process.argv[3], { dir: process.argv[2] + '/out' });`;
  const module = new URL('pki.ts', import.meta.url).href;
  const names = ['svc/a', 'svc/b', 'svc/c', 'svc/d', 'svc/e', 'svc/f'];
  const start = (name: string): Promise<unknown> =>
    run(process.execPath, ['--input-type=module', '-e', script, module, shared, name], { timeout: 30_000 });
  await Promise.all(names.map(start));
  for (const name of names) {
    const cert = join(shared, 'out', `${name.replace('/', '-')}.pem`);
    assert.ok(await isIssued({ ca: join(shared, 'ca.pem'), cert }), name);
  }
  assert.deepEqual((await readdir(shared)).sort(), ['ca.key', 'ca.pem', 'out'], 'and no drafts');
});

test('opened eight times in one breath it is one authority too', async () => {
  const shared = join(root, 'breath');
  const opened = await Promise.all(Array.from({ length: 8 }, () => openAuthority(shared)));
  for (const [i, each] of opened.entries())
    assert.ok(await isIssued(await each.issue(`svc/n${i}`, { dir: shared })));
});

test('a directory that others could enter is closed', async () => {
  const open = join(root, 'open');
  await mkdir(open, { mode: 0o755 });
  await openAuthority(open);
  assert.equal(await modeOf(open), '700');
});

test('an authority that was cut off before its certificate is finished with the key that stands', async () => {
  const cut = join(root, 'cut');
  await openAuthority(cut);
  const key = await readFile(join(cut, 'ca.key'), 'utf8');
  await rm(join(cut, 'ca.pem'));
  const files = await (await openAuthority(cut)).issue('svc/order', { dir: cut });
  assert.equal(await readFile(join(cut, 'ca.key'), 'utf8'), key);
  assert.ok(await isIssued(files));
});

test('a key of another authority is noticed', async () => {
  const torn = join(root, 'torn');
  await openAuthority(torn);
  await rm(join(torn, 'ca.key'));
  await assert.rejects(openAuthority(torn), /ca\.pem was not made with .*ca\.key: remove both/u);
});

async function stranger(): Promise<IssuedFiles> {
  return (await openAuthority(join(root, 'stranger'))).issue('svc/order', { dir: join(root, 'stranger') });
}

/** Who a TLS server takes a client for; the handshake's error when it takes none. */
async function handshake(server: IssuedFiles, client: IssuedFiles | undefined): Promise<string | undefined> {
  const { ca, cert, key } = readWorkloadCredentials(server);
  const seen = Promise.withResolvers<string | undefined>();
  const listening = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (socket) => {
    seen.resolve(peerIdentity(socket.getPeerCertificate().subjectaltname));
    socket.end();
  });
  listening.on('tlsClientError', seen.reject);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  const own = client === undefined ? {} : readWorkloadCredentials(client);
  const socket = connect({ port, host: '127.0.0.1', servername: 'order', ...own, ca });
  socket.on('error', seen.reject);
  try {
    return await seen.promise;
  } finally {
    socket.destroy();
    listening.close();
  }
}

test('node:tls: services and developers shake hands, strangers and the nameless do not', async () => {
  assert.equal(await handshake(order, order), 'svc/order');
  assert.equal(await handshake(order, alice), 'dev/alice');
  await assert.rejects(handshake(order, await stranger()));
  await assert.rejects(handshake(order, undefined));
  await assert.rejects(handshake(alice, order), 'a developer cannot serve');
});

const echo = (bytes: Buffer): Buffer => bytes;
const WHO = {
  path: '/test.Who/Am',
  requestStream: false,
  responseStream: false,
  requestSerialize: echo,
  requestDeserialize: echo,
  responseSerialize: echo,
  responseDeserialize: echo,
} as const;

async function startWho({ ca, cert, key }: WorkloadCredentials): Promise<{ port: number; server: Server }> {
  const server = new Server();
  const answer = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
    const identity = peerIdentity(call.getAuthContext().sslPeerCertificate?.subjectaltname);
    done(null, Buffer.from(identity ?? ''));
  };
  server.addService({ who: WHO }, { who: answer });
  const secure = ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', secure, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, server };
}

function askWho(port: number, files: IssuedFiles, authority: string): Promise<string> {
  const { ca, cert, key } = readWorkloadCredentials(files);
  const options = { 'grpc.ssl_target_name_override': authority, 'grpc.default_authority': authority };
  const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(ca, key, cert), options);
  return new Promise<string>((resolve, reject) => {
    const deadline = { deadline: Date.now() + 2_000 };
    client.makeUnaryRequest(WHO.path, echo, echo, Buffer.alloc(0), new Metadata(), deadline, (error, bytes) =>
      error === null ? resolve(String(bytes)) : reject(error),
    );
  }).finally(() => client.close());
}

test('grpc-js: the callee reads the identity of its caller, and a name must fit', async () => {
  const { port, server } = await startWho(readWorkloadCredentials(order));
  assert.equal(await askWho(port, order, 'order'), 'svc/order');
  assert.equal(await askWho(port, alice, 'localhost'), 'dev/alice');
  const refused = { code: status.UNAVAILABLE };
  await assert.rejects(askWho(port, order, 'payment'), refused);
  await assert.rejects(askWho(port, { ...(await stranger()), ca: order.ca }, 'order'), refused);
  server.forceShutdown();
});
