/** What a newcomer sees: the lines that are printed work as printed, and so do the words of the command line. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFabric } from './fabric.ts';
import type { Fabric } from './fabric.ts';

let fabric: Fabric;

before(async () => {
  fabric = await startFabric();
  // The ready-file is there a moment before the lines are.
  for (let tries = 0; tries < 50 && !fabric.output().includes('Ctrl-C'); tries += 1) await sleep(100);
});
after(() => fabric[Symbol.asyncDispose]());

const grpcurl = spawnSync('grpcurl', ['-version']).error === undefined ? {} : { skip: 'grpcurl is not here' };

test('the curl lines list products and place an order', async () => {
  const listed = JSON.parse(await paste('/v1/products')) as { products: unknown[] };
  assert.equal(listed.products.length, 5);
  const order = JSON.parse(await paste('/v1/orders')) as { state: string };
  assert.equal(order.state, 'STATE_CONFIRMED');
});

test('the grpcurl lines list services and products', grpcurl, async () => {
  assert.match(await paste(' list'), /^mercer\.product\.v1\.ProductService$/mu);
  const { products } = JSON.parse(await paste('/ListProducts')) as { products: unknown[] };
  assert.equal(products.length, 2);
});

test('nothing is printed at start but processes, places and lines to paste', () => {
  assert.doesNotMatch(fabric.output(), /warn|error|deprecat|experimental/iu);
});

test('the demo prints order, payment and a trace through all services', async () => {
  const { code, stdout, stderr } = await fabric.mercer('demo');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Order[^]*CONFIRMED[^]*Payment[^]*SUCCEEDED[^]*Trace/u);
  for (const service of ['gateway', 'order', 'product', 'payment', 'acquirer'])
    assert.match(stdout, new RegExp(`^ +${service} `, 'mu'));
});

test('a token stands alone on its line', async () => {
  const { stdout } = await fabric.mercer('token', '--role', 'ADMIN', '--sub', 'alice', '--ttl', '5m');
  const [, payload = ''] = stdout.trim().split('\n').at(-1)?.split('.') ?? [];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  assert.deepEqual([claims['sub'], claims['groups']], ['alice', ['ADMIN']]);
  assert.equal(Number(claims['exp']) - Number(claims['iat']), 300);
});

test('certificates are signed by the local authority, for an hour', async () => {
  const { stdout } = await fabric.mercer('cert', 'svc/visitor', '--json');
  const files = JSON.parse(stdout) as { cert: string; key: string; ca: string };
  const certificate = new X509Certificate(readFileSync(files.cert));
  assert.ok(certificate.verify(new X509Certificate(readFileSync(files.ca)).publicKey));
  assert.match(certificate.subjectAltName ?? '', /URI:spiffe:\/\/mercer\/svc\/visitor/u);
  const left = certificate.validToDate.getTime() - Date.now();
  assert.ok(left > 3_000_000 && left <= 3_600_000);
});

test('a process that is restarted is another one, and serves', async () => {
  const before = await pidOf('order-1');
  const { code, stdout } = await fabric.mercer('restart', 'order');
  assert.equal(code, 0, stdout);
  assert.notEqual(await pidOf('order-1'), before);
  assert.match(fabric.output(), /order-1 ended as asked; starting it again\n/u);
});

test('logs are those of the process that is named', async () => {
  const { stdout } = await fabric.mercer('logs', 'payment', '--lines', '3');
  const lines = stdout.trim().split('\n');
  assert.equal(lines.length, 3);
  for (const line of lines) assert.equal((JSON.parse(line) as { service: string }).service, 'payment');
});

/** Runs a printed line, as a shell would. */
function paste(part: string): Promise<string> {
  const line = fabric
    .output()
    .split('\n')
    .find((each) => /^(?:curl|grpcurl) /u.test(each) && each.includes(part));
  assert.ok(line !== undefined, `no line with ${part} in:\n${fabric.output()}`);
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', line], { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${line}\n${stderr}`));
    });
  });
}

async function pidOf(name: string): Promise<number | undefined> {
  const { stdout } = await fabric.mercer('status', '--json');
  const { processes } = JSON.parse(stdout) as { processes: { name: string; pid: number }[] };
  return processes.find((each) => each.name === name)?.pid;
}
