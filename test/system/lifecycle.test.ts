/** Fabrics start, stand side by side, stop without a trace and keep their data. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { resumeFabric, runMercer, startFabric } from './fabric.ts';
import { order, shopAt, stockedProduct } from './shop.ts';

test('two fabrics stand side by side, one restarts with its data, and both leave nothing behind', async () => {
  const [one, two] = await Promise.all([startFabric('--seed', 'none'), startFabric('--seed', 'none')]);
  const shopOne = shopAt(one.ready.gateway);
  const shopTwo = shopAt(two.ready.gateway);
  const productId = await stockedProduct(shopOne, one.ready.tokens.admin, 5);
  const placed = await order(shopOne, productId, { token: one.ready.tokens.customer });
  assert.equal(placed.status, 201, JSON.stringify(placed.body));
  assert.equal((await shopTwo('GET', `/v1/products/${productId}`)).status, 404);
  assert.equal((await shopTwo('GET', '/v1/orders', { token: one.ready.tokens.customer })).status, 401);

  const inUse = await runMercer(['up', '--data', one.data, '--offset', String(two.offset + 1)]);
  assert.notEqual(inUse.code, 0);
  assert.equal(inUse.stderr.trim().split('\n').length, 1, inUse.stderr);

  const stopping = Date.now();
  assert.equal(await one.stop(), 0);
  assert.ok(Date.now() - stopping < 10_000, `stopping took ${Date.now() - stopping} ms`);
  assert.equal(await answers(one.ready.gateway), false);
  assert.deepEqual(processesOf(one.data), []);
  const stopped = await one.mercer('status');
  assert.equal(stopped.code, 1);

  const again = await resumeFabric({ data: one.data, offset: one.offset, words: ['--seed', 'none'] });
  const read = await shopAt(again.ready.gateway)('GET', `/v1/orders/${String(placed.body['orderId'])}`, {
    token: again.ready.tokens.customer,
  });
  assert.deepEqual(read.body, placed.body);
  assert.equal(await again.stop(), 0);
  assert.equal(await two.stop(), 0);
  assert.deepEqual(processesOf(one.data), []);
  assert.deepEqual(processesOf(two.data), []);
  for (const { data } of [one, two]) rmSync(data, { recursive: true, force: true });
});

test('a port that is taken is named with what to do', async () => {
  await using fabric = await startFabric('--seed', 'none', '--only', 'registry');
  const taken = await runMercer(['up', '--data', `${fabric.data}-other`, '--offset', String(fabric.offset)]);
  rmSync(`${fabric.data}-other`, { recursive: true, force: true });
  assert.notEqual(taken.code, 0);
  assert.match(taken.stderr, /--offset/u);
  assert.equal(taken.stderr.trim().split('\n').length, 1, taken.stderr);
});

test('a wrong word is one line and exit code 2', async () => {
  for (const words of [
    ['fly'],
    ['up', '--offset', 'many'],
    ['up', '--seed', 'flowers'],
    ['token', '--role', 'KING'],
  ]) {
    const { code, stderr } = await runMercer(words);
    assert.equal(code, 2, `${words.join(' ')}: ${stderr}`);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});

function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Processes whose command line or environment names a data folder. */
function processesOf(data: string): string[] {
  const listed = execFileSync('ps', ['eww', '-A', '-o', 'pid,args'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed.split('\n').filter((line) => line.includes(`${data}/`) && !line.includes('ps eww'));
}
