/** Tries the lines that are printed to be pasted. */
import { equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { banner } from './banner.ts';
import type { BannerFacts } from './banner.ts';

const FACTS: BannerFacts = {
  endpoints: {
    gateway: 'http://127.0.0.1:8080',
    idp: 'http://127.0.0.1:9000',
    product: ['127.0.0.1:50051'],
    order: [],
    payment: [],
    ca: "/a folder/it's/ca.pem",
    configRepo: '/d',
    databases: {},
    logs: '/l',
  },
  tokens: { admin: 'ADMIN.TOKEN', customer: 'CUSTOMER.TOKEN' },
  developer: { cert: '/c.pem', key: '/k.key' },
  productId: 'aurora-1',
};

test('tokens and commands stand alone on their lines', () => {
  const lines = banner(FACTS).split('\n');
  ok(lines.includes('ADMIN.TOKEN'));
  ok(lines.includes('CUSTOMER.TOKEN'));
  equal(lines.filter((line) => line.startsWith('curl ')).length, 2);
  equal(lines.filter((line) => line.startsWith('grpcurl ')).length, 2);
});

test('the order line carries token, key and product', () => {
  const [line = ''] = banner(FACTS)
    .split('\n')
    .filter((each) => each.includes('/v1/orders'));
  match(line, /authorization: Bearer CUSTOMER\.TOKEN/);
  match(line, /idempotency-key: [0-9a-f-]{36}/);
  match(line, /"productId":"aurora-1"/);
});

test('a path that the shell would split is quoted', () => {
  match(banner(FACTS), /-cacert '\/a folder\/it'\\''s\/ca\.pem'/);
});

test('with another issuer there are no tokens but a word about them', () => {
  const text = banner({ ...FACTS, tokens: undefined });
  match(text, /Tokens come from http:\/\/127\.0\.0\.1:9000/);
  ok(!text.includes('/v1/orders'));
});
