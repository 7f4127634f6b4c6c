/** Who may call a method, judged for every rule shape and for every method of the contracts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '../identity/principal.ts';
import { judge } from './access.ts';
import type { AccessRule } from './access.ts';
import { methodOf, registry } from './descriptors.ts';

const admin = principal('ADMIN');
const customer = principal('CUSTOMER');

test('a method without a rule, or with an empty one, admits nobody', () => {
  assert.equal(judge([], { user: admin }), 'denied');
  assert.equal(judge([], {}), 'unauthenticated');
  assert.equal(judge([rule({})], { caller: 'svc/order', user: admin }), 'denied');
});

test('anyone is admitted with and without a token', () => {
  assert.equal(judge([rule({ anyone: true })], {}), 'admit');
  assert.equal(judge([rule({ anyone: true })], { user: customer }), 'admit');
});

test('a role admits its holder, tells a stranger to log in and refuses the others', () => {
  const rules = [rule({ roles: ['ADMIN'] })];
  assert.equal(judge(rules, { user: admin }), 'admit');
  assert.equal(judge(rules, { user: customer }), 'denied');
  assert.equal(judge(rules, { caller: 'svc/gateway' }), 'unauthenticated');
});

test('callers and roles of one rule hold together', () => {
  const rules = [rule({ callers: ['svc/order'], roles: ['CUSTOMER'] })];
  assert.equal(judge(rules, { caller: 'svc/order', user: customer }), 'admit');
  assert.equal(judge(rules, { caller: 'svc/order' }), 'unauthenticated');
  assert.equal(judge(rules, { caller: 'svc/gateway', user: customer }), 'denied');
  assert.equal(judge(rules, { user: customer }), 'denied');
  assert.equal(judge(rules, { caller: 'svc/gateway' }), 'denied');
});

test('self and svc/* stand for any service and for no developer', () => {
  for (const callers of [['self'], ['svc/*']]) {
    assert.equal(judge([rule({ callers })], { caller: 'svc/product' }), 'admit');
    assert.equal(judge([rule({ callers })], { caller: 'dev/alice', user: admin }), 'denied');
    assert.equal(judge([rule({ callers })], {}), 'denied');
  }
});

test('any one of several rules admits', () => {
  const rules = [rule({ roles: ['ADMIN'] }), rule({ callers: ['self'] })];
  assert.equal(judge(rules, { user: admin }), 'admit');
  assert.equal(judge(rules, { caller: 'svc/order' }), 'admit');
  assert.equal(judge(rules, { user: customer }), 'denied');
});

test('every method of every service of the contracts has a rule', () => {
  const paths = [...registry]
    .filter((type) => type.kind === 'service' && type.typeName.startsWith('mercer.'))
    .flatMap((type) =>
      type.kind === 'service' ? type.methods.map((each) => `/${type.typeName}/${each.name}`) : [],
    );
  assert.ok(paths.length >= 30);
  for (const path of paths) assert.ok(methodOf(path)?.access.length, `${path} has no access option`);
});

test('internal methods admit the order service alone', () => {
  const commit = methodOf('/mercer.product.v1.ProductService/CommitStock')?.access ?? [];
  assert.equal(judge(commit, { caller: 'svc/order' }), 'admit');
  assert.equal(judge(commit, { caller: 'svc/gateway', user: admin }), 'denied');
  const reserve = methodOf('/mercer.product.v1.ProductService/ReserveStock')?.access ?? [];
  assert.equal(judge(reserve, { caller: 'svc/order', user: customer }), 'admit');
  assert.equal(judge(reserve, { caller: 'svc/order' }), 'unauthenticated');
});

function rule(parts: Partial<AccessRule>): AccessRule {
  return { anyone: false, roles: [], callers: [], owner: '', signature: false, ...parts };
}

function principal(role: string): Principal {
  return { issuer: 'https://idp', subject: role, roles: [role], scopes: [], expiresAt: new Date() };
}
