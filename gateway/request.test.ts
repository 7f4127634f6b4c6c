/** Requests: what path, query, body and headers make of a message together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { registry } from '#fabric/rpc/descriptors.ts';
import { jsonReader } from './json-read.ts';
import { compilePlans } from './plan.ts';
import { requestBuilder } from './request.ts';
import type { RequestParts } from './request.ts';
import { createRouter } from './router.ts';
import { schema } from './schema.fixture.ts';
import { parseTarget } from './target.ts';

const types = schema();
const router = createRouter(
  [types, registry].flatMap((set) =>
    compilePlans(set)
      .filter(({ service }) => set !== types || service.startsWith('fixture.'))
      .map((plan) => ({
        method: plan.httpMethod,
        template: plan.template,
        name: plan.name,
        target: { plan, build: requestBuilder(plan, { reader: jsonReader(set), types: set }), set },
      })),
  ),
);

type Further = Partial<Pick<RequestParts, 'idempotencyKey' | 'etag' | 'contentType'>> & { body?: string };

/** The message that a request becomes, as JSON. */
function request(line: string, { body = '', ...further }: Further = {}): JsonValue {
  const [method = '', text = ''] = line.split(' ');
  const { path, query } = parseTarget(text);
  const match = router.find(method, path);
  assert.ok(match.kind === 'found', `${line} is not routed`);
  const { plan, build, set } = match.target;
  const parts = { contentType: 'application/json', idempotencyKey: undefined, etag: undefined, ...further };
  const bytes = build({ ...parts, segments: match.segments, query, body: Buffer.from(body) });
  return toJson(plan.input, fromBinary(plan.input, bytes), { registry: set });
}

function refused(line: string, further?: Further): string {
  try {
    request(line, further);
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    assert.equal(error.code, 3);
    return error.metadata['field'] ?? error.reason ?? '';
  }
  return assert.fail(`accepted: ${line}`);
}

test('a query fills fields of every kind, in either case', () => {
  const queries: [string, JsonValue][] = [
    ['text=a+b%2Bc&flag=true', { text: 'a b+c', flag: true }],
    [
      'int64=9007199254740993&uint_64=18446744073709551615',
      { int64: '9007199254740993', uint64: '18446744073709551615' },
    ],
    ['words=a&words=b&words=', { words: ['a', 'b', ''] }],
    ['numbers=1&numbers=-2', { numbers: ['1', '-2'] }],
    [
      'color=COLOR_RED&colors=2&colors=COLOR_RED',
      { color: 'COLOR_RED', colors: ['COLOR_BLUE', 'COLOR_RED'] },
    ],
    ['child.text=a&child.child.int_32=5', { child: { text: 'a', child: { int32: 5 } } }],
    ['maybeText=&maybe_number=0', { maybeText: '', maybeNumber: 0 }],
    ['time=2026-01-31T12:00:00Z&duration=1.5s', { time: '2026-01-31T12:00:00Z', duration: '1.500s' }],
    ['mask=a.bC,d_e', { mask: 'a.bC,dE' }],
    ['int64Value=7&boolValue=false&stringValue=x', { int64Value: '7', boolValue: false, stringValue: 'x' }],
    ['struct=%7B%22a%22:1%7D&value=%22x%22', { struct: { a: 1 }, value: 'x' }],
    ['data=-_8&twice=NaN', { data: '+/8=', twice: 'NaN' }],
    ['choiceNumber=3', { choiceNumber: '3' }],
    ['choiceChild.text=a&choiceChild.flag=true', { choiceChild: { text: 'a', flag: true } }],
    ['&&text=a&', { text: 'a' }],
    ['text=%F0%9F%98%80', { text: '😀' }],
    ['', {}],
  ];
  for (const [query, expected] of queries) assert.deepEqual(request(`GET /odd?${query}`), expected, query);
});

test('a query that fits no field is refused naming the parameter', () => {
  const wrong: [string, string][] = [
    ['bogus=1', 'bogus'],
    ['child.bogus=1', 'child.bogus'],
    ['text.a=1', 'text.a'],
    ['=1', ''],
    ['text=a&text=b', 'text'],
    ['int32=1&int_32=1', 'int_32'],
    ['text=&text=', 'text'],
    ['flag=1', 'flag'],
    ['flag', 'flag'],
    ['int32=x', 'int32'],
    ['int32=', 'int32'],
    ['uint32=-1', 'uint32'],
    ['color=COLOR_GREEN', 'color'],
    ['child=1', 'child'],
    ['children=1', 'children'],
    ['children.text=1', 'children.text'],
    ['labels=1', 'labels'],
    ['labels.a=1', 'labels.a'],
    ['times=2026-01-31T12:00:00Z', 'times'],
    ['time=yesterday', 'time'],
    ['time.seconds=1', 'time.seconds'],
    ['raw=1', 'raw'],
    ['raw.data=YQ==', 'raw.data'],
    ['any=1', 'any'],
    ['choiceText=a&choiceNumber=1', 'choiceNumber'],
    ['choiceText=a&choiceChild.text=1', 'choiceChild.text'],
    ['struct=%7B', 'INVALID_JSON'],
    ['text=%ff', 'INVALID_TARGET'],
    ['text=%', 'INVALID_TARGET'],
    [Array.from({ length: 101 }, () => 'words=a').join('&'), 'TOO_MANY_PARAMETERS'],
  ];
  for (const [query, field] of wrong) assert.equal(refused(`GET /odd?${query}`), field, query);
});

test('the path fills nested fields; one segment is decoded, several keep %2F', () => {
  assert.deepEqual(request('PUT /odd/9007199254740993'), { child: { int64: '9007199254740993' } });
  assert.deepEqual(request('PURGE /odd/COLOR_RED'), { color: 'COLOR_RED' });
  assert.deepEqual(request('PATCH /odd/shelves/a%20b/books/c%2Fd:edit', { body: '{}' }), {
    child: { text: 'shelves/a b/books/c%2Fd' },
    mask: '',
  });
  assert.deepEqual(request('POST /files/a/%41%2fb/c', { body: 'xyz', contentType: 'text/plain' }), {
    text: 'a/A%2fb/c',
    raw: { contentType: 'text/plain', data: 'eHl6' },
  });
  assert.deepEqual(request('POST /files', { contentType: '' }), { raw: {} });
  assert.deepEqual(request('GET /v1/products/a%2Fb'), { productId: 'a/b' });
  assert.equal(refused('PUT /odd/x'), 'child.int64');
  assert.equal(refused('PURGE /odd/COLOR_GREEN'), 'color');
});

test('what the path binds cannot be said otherwise', () => {
  assert.equal(refused('PUT /odd/1', { body: '{"child": {"int64": 2}}' }), 'child.int64');
  assert.deepEqual(request('PUT /odd/1', { body: '{"child": {"int64": "1"}}' }), { child: { int64: '1' } });
  assert.equal(refused('GET /v1/products/a?product_id=b'), 'product_id');
  assert.equal(refused('GET /v1/products/a?productId=a'), 'productId');
  assert.equal(refused('PATCH /v1/products/a?product.sku=b', { body: '{}' }), 'product.sku');
  assert.equal(refused('PATCH /v1/products/a', { body: '{"productId": "b"}' }), 'product.productId');
  assert.equal(refused('POST /v1/orders?paymentToken=x', { body: '{}' }), 'paymentToken');
});

test('a body is JSON of what it is bound to, empty for nothing, and refused where none is taken', () => {
  assert.deepEqual(request('POST /listed', { body: '["a","b"]' }), { words: ['a', 'b'] });
  assert.deepEqual(request('POST /listed?text=x'), { text: 'x' });
  assert.equal(refused('POST /listed', { body: '{}' }), 'words');
  assert.equal(refused('POST /listed', { body: '["a", 1]' }), 'words[1]');
  assert.equal(refused('GET /odd', { body: '{}' }), 'UNEXPECTED_BODY');
  assert.equal(refused('PUT /odd/1', { body: ' ' }), 'INVALID_JSON');
  assert.equal(refused('POST /v1/orders', { body: '{"lines": [{"quantity": "x"}]}' }), 'lines[0].quantity');
  assert.equal(refused('POST /v1/products', { body: '{"bogus": 1}' }), 'product.bogus');
  assert.equal(refused('POST /v1/products', { body: '{"sku": "a", "sku": "b"}' }), 'product.sku');
  assert.equal(refused('GET /odd?struct=%7B%22a%22:1,%22a%22:2%7D'), 'struct.a');
});

test('a NUL, which no database takes, is refused wherever text may stand', () => {
  assert.equal(refused('GET /odd?child.text=a%00b'), 'child.text');
  assert.equal(refused('GET /odd?stringValue=%00'), 'stringValue');
  assert.equal(refused('GET /odd?words=a&words=%00'), 'words');
  assert.equal(refused('GET /v1/products/a%00'), 'productId');
  assert.equal(refused('PATCH /odd/shelves/%00/books/b:edit', { body: '{}' }), 'child.text');
  assert.equal(refused('POST /listed', { body: '["a", "\\u0000"]' }), 'words[1]');
  assert.equal(refused('POST /v1/products', { body: '{"displayName": "\\u0000"}' }), 'product.displayName');
  assert.equal(
    refused('POST /v1/products', { body: '{"attributes": {"a": "\\u0000"}}' }),
    'product.attributes.a',
  );
  assert.equal(refused('GET /odd?value=%22%5Cu0000%22'), 'value');
});

test('a mask is filled from the body of a PATCH: lists and maps whole, messages field by field', () => {
  const filled = (body: string, query = ''): unknown => {
    const message = request(`PATCH /v1/products/a${query}`, { body }) as Record<string, unknown>;
    return message['updateMask'];
  };
  assert.equal(filled('{"displayName": "x", "price": {"minorUnits": 5}}'), 'displayName,price.minorUnits');
  assert.equal(
    filled('{"attributes": {"a": "b"}, "description": null, "price": {}}'),
    'attributes,description,price',
  );
  assert.equal(
    filled(
      '{"productId": "a", "state": "STATE_ACTIVE", "createTime": "2026-01-31T12:00:00Z", "stockAvailable": 5, "sku": ""}',
    ),
    'sku',
  );
  assert.equal(filled('{"displayName": "x"}', '?updateMask=price,display_name'), 'price,displayName');
  assert.equal(filled('{"displayName": "x"}', '?update_mask=*'), '*');
  assert.equal(filled('{"displayName": "x"}', '?updateMask='), 'displayName');
  const body = '{"text": "shelves/a/books/b", "flag": true, "child": {"text": "c"}}';
  const odd = request('PATCH /odd/shelves/a/books/b:edit', { body }) as Record<string, unknown>;
  assert.equal(odd['mask'], 'flag,child.text');
});

test('headers fill request_id and etag, and say nothing else than body and query', () => {
  const body = '{"reason": "x"}';
  const key = (further: Further): unknown =>
    (request('POST /v1/orders/a:cancel', { body, ...further }) as Record<string, unknown>)['requestId'];
  assert.equal(key({ idempotencyKey: 'k 1' }), 'k 1');
  assert.equal(key({ body: '{"requestId": "own"}' }), 'own');
  assert.match(String(key({})), /^[0-9a-f-]{36}$/u);
  assert.notEqual(key({}), key({}));
  const both = { body: '{"requestId": "own"}', idempotencyKey: 'k' };
  assert.equal(refused('POST /v1/orders/a:cancel', both), 'requestId');
  assert.deepEqual(request('DELETE /v1/products/a', { etag: '3-4' }), { productId: 'a', etag: '3-4' });
  assert.equal(refused('DELETE /v1/products/a?etag=1-1', { etag: '3-4' }), 'etag');
});

test('a rule that cannot work is refused when it is loaded, naming the method', () => {
  const rules = [
    'get: "/x/{bogus}"',
    'get: "/x/{words}"',
    'get: "/x/{child}"',
    'get: "/x/{child.words}"',
    'post: "/x" body: "bogus"',
    'get: "/x" response_body: "bogus"',
    'get: "/x/{"',
    'body: "*"',
  ];
  for (const rule of rules) {
    const text = `syntax = "proto3"; package further.v1; import "every_type.proto"; import "google/api/annotations.proto";
      service Further { rpc Wrong(fixture.v1.EveryType) returns (fixture.v1.EveryType) { option (google.api.http) = {${rule}}; } }`;
    assert.throws(() => compilePlans(schema(text)), /further\.v1\.Further\.Wrong|path template/u, rule);
  }
});
