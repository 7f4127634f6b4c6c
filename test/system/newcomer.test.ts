/** What a newcomer is told works when pasted: every printed curl and grpcurl line, the demo, and a gRPC order. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startFabric } from './fabric.ts';
import type { Fabric } from './fabric.ts';
import { shopAt } from './shop.ts';

const run = promisify(execFile);
const GRPCURL = await run('grpcurl', ['--version']).then(
  () => true,
  () => false,
);

let fabric: Fabric;
before(async () => {
  fabric = await startFabric();
});
after(() => fabric[Symbol.asyncDispose]());

test('the shop is stocked: sixty products and more, each with a picture and a price', async () => {
  const send = shopAt(fabric.ready.gateway);
  const products: Record<string, unknown>[] = [];
  let token = '';
  do {
    const { body } = await send('GET', `/v1/products?page_size=25&page_token=${encodeURIComponent(token)}`);
    products.push(...(body['products'] as Record<string, unknown>[]));
    token = String(body['nextPageToken']);
  } while (token !== '');
  assert.ok(products.length >= 60, `${products.length} products`);
  const categories = new Set(products.map(({ category }) => category));
  for (const category of ['phones', 'laptops', 'tablets', 'watches', 'audio', 'accessories'])
    assert.ok(categories.has(category), category);
  for (const { imageUri, productId } of products.filter((_, index) => index % 10 === 0)) {
    const picture = await fetch(fabric.ready.gateway + String(imageUri));
    assert.equal(picture.status, 200, String(productId));
    assert.match(picture.headers.get('content-type') ?? '', /^image\/svg\+xml/u);
    await picture.arrayBuffer();
  }
});

test('every curl line works as printed', async () => {
  const lines = printed('curl ');
  assert.ok(lines.length >= 2, fabric.output());
  for (const line of lines) assert.doesNotMatch(await paste(line), /"error"/u, line);
});

test(
  'every grpcurl line works as printed',
  { skip: GRPCURL ? false : 'grpcurl is not installed' },
  async () => {
    const lines = printed('grpcurl ');
    assert.ok(lines.length >= 2, fabric.output());
    for (const line of lines) assert.match(await paste(line), /product/iu, line);
  },
);

test(
  'an order goes by grpcurl to the order service with a developer certificate',
  { skip: GRPCURL ? false : 'grpcurl is not installed' },
  async () => {
    const { stdout } = await fabric.mercer('cert', 'dev/alice', '--json');
    const files = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      cert: string;
      key: string;
      ca: string;
    };
    const productId = await anyProduct();
    const [address = ''] = fabric.ready.order;
    const order = { lines: [{ productId, quantity: 1 }], paymentToken: 'tok_visa' };
    const tls = ['-cacert', files.ca, '-cert', files.cert, '-key', files.key, '-authority', 'order'];
    const user = ['-H', `authorization: Bearer ${fabric.ready.tokens.customer}`];
    const call = ['-d', JSON.stringify(order), address, 'mercer.order.v1.OrderService/CreateOrder'];
    const answer = await run('grpcurl', [...tls, ...user, ...call]);
    assert.match(answer.stdout, /STATE_CONFIRMED/u);
  },
);

test('the demo prints order, payment and a trace through every part', async () => {
  const { code, stdout, stderr } = await fabric.mercer('demo');
  assert.equal(code, 0, stderr);
  for (const word of ['gateway', 'order', 'product', 'payment', 'acquirer', 'INSERT', 'CONFIRMED']) {
    assert.match(stdout, new RegExp(word, 'u'), stdout);
  }
});

test('a configuration is served as Spring reads it', async () => {
  const response = await fetch(`${fabric.ready.config}/order/default`);
  const environment = (await response.json()) as {
    name: string;
    version: string;
    propertySources: { source: object }[];
  };
  assert.equal(environment.name, 'order');
  assert.match(environment.version, /^[0-9a-f]{40}$/u);
  assert.ok(environment.propertySources.length >= 1);
});

test('an order is followed as NDJSON and as server-sent events until it is confirmed', async () => {
  const send = shopAt(fabric.ready.gateway);
  const token = fabric.ready.tokens.customer;
  const body = { lines: [{ productId: await anyProduct(), quantity: 1 }], paymentToken: 'tok_visa' };
  const { body: order } = await send('POST', '/v1/orders', { token, body });
  const url = `${fabric.ready.gateway}/v1/orders/${String(order['orderId'])}:watch`;
  for (const [accept, first] of [
    ['application/x-ndjson', /^\{"orderId"/u],
    ['text/event-stream', /^(?:id: .+\n)?data: \{"orderId"/mu],
  ] as const) {
    const response = await fetch(url, {
      headers: { accept, authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    });
    assert.equal(response.headers.get('content-type')?.split(';')[0], accept);
    const text = await response.text();
    assert.match(text, first);
    assert.match(text, /STATE_CONFIRMED/u);
  }
});

test('every word of the README works', async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const words = [...readme.matchAll(/^npm exec mercer -- (.+)$/gmu)].map(([, line = '']) => line.split(' '));
  assert.ok(words.length >= 5);
  for (const word of words) {
    const { code, stdout, stderr } = await fabric.mercer(...word);
    assert.equal(code, 0, `${word.join(' ')}: ${stdout}${stderr}`);
  }
});

function printed(start: string): string[] {
  return fabric
    .output()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith(start));
}

async function paste(line: string): Promise<string> {
  const { stdout } = await run('bash', ['-c', line], { timeout: 20_000 });
  return stdout;
}

async function anyProduct(): Promise<string> {
  const { body } = await shopAt(fabric.ready.gateway)('GET', '/v1/products?in_stock=true&page_size=1');
  const [product] = body['products'] as { productId: string }[];
  assert.ok(product);
  return product.productId;
}
