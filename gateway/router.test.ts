/** Routing: precedence, backtracking, verbs, methods and conflicts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRouter } from './router.ts';
import type { Route } from './router.ts';
import { parseTemplate } from './template.ts';

function route(text: string): Route<string> {
  const [method = '', path = ''] = text.split(' ');
  return { method, template: parseTemplate(path), name: text, target: path };
}

/** The template that a request finds, or what it finds instead. */
function finder(...routes: string[]): (request: string) => string {
  const router = createRouter(routes.map(route));
  return (request) => {
    const [method = '', path = ''] = request.split(' ');
    const match = router.find(method, path);
    if (match.kind === 'found') return match.target;
    return match.kind === 'method' ? match.allow.join(',') : 'none';
  };
}

test('a literal goes before *, and * before **', () => {
  const find = finder('GET /a/**', 'GET /a/*', 'GET /a/b', 'GET /**');
  assert.equal(find('GET /a/b'), '/a/b');
  assert.equal(find('GET /a/c'), '/a/*');
  assert.equal(find('GET /a/c/d'), '/a/**');
  assert.equal(find('GET /x'), '/**');
  assert.equal(find('GET /'), '/**');
});

test('a dead end among literals is left for a wildcard', () => {
  const find = finder('GET /a/b/c', 'GET /a/*/d', 'GET /*/b/e');
  assert.equal(find('GET /a/b/c'), '/a/b/c');
  assert.equal(find('GET /a/b/d'), '/a/*/d');
  assert.equal(find('GET /a/b/e'), '/*/b/e');
  assert.equal(find('GET /a/b/f'), 'none');
});

test('a literal with another method does not hide a wildcard with this one', () => {
  const find = finder('POST /v1/products/search', 'GET /v1/products/{id}');
  assert.equal(find('GET /v1/products/search'), '/v1/products/{id}');
  assert.equal(find('POST /v1/products/search'), '/v1/products/search');
  assert.equal(find('PUT /v1/products/search'), 'GET,HEAD,OPTIONS,POST');
});

test('** takes zero segments or many, empty ones too', () => {
  const find = finder('GET /files/**');
  for (const path of ['/files', '/files/', '/files/a', '/files//a', '/files/a/b/'])
    assert.equal(find(`GET ${path}`), '/files/**', path);
  assert.equal(find('GET /file'), 'none');
});

test('* takes one segment that is not empty', () => {
  const find = finder('GET /v1/products/{id}');
  for (const path of [
    '/v1/products',
    '/v1/products/',
    '/v1/products/a/',
    '/v1/products//a',
    '//v1/products/a',
  ])
    assert.equal(find(`GET ${path}`), 'none', path);
});

test('a verb ends at the last colon, and an unknown one belongs to the value', () => {
  const find = finder('POST /p/{id}:cancel', 'GET /p/{id}', 'GET /p:batch', 'GET /p');
  assert.equal(find('POST /p/4:cancel'), '/p/{id}:cancel');
  assert.equal(find('POST /p/a:b:cancel'), '/p/{id}:cancel');
  assert.equal(find('GET /p/jason:other'), '/p/{id}');
  assert.equal(find('GET /p/4%3Acancel'), '/p/{id}');
  assert.equal(find('GET /p:batch'), '/p:batch');
  assert.equal(find('GET /p:other'), 'none');
  assert.equal(find('GET /p/4:cancel'), 'OPTIONS,POST');
  assert.equal(find('POST /p/:cancel'), 'GET,HEAD,OPTIONS');
});

test('literals are compared decoded, and a slash in a value divides nothing', () => {
  const router = createRouter([route('GET /v1/a%20b/{id}')]);
  const match = router.find('GET', '/v1/a%20b/x%2Fy');
  assert.deepEqual(match, { kind: 'found', target: '/v1/a%20b/{id}', segments: ['v1', 'a%20b', 'x%2Fy'] });
  assert.throws(() => router.find('GET', '/v1/%ff/x'), URIError);
});

test('dot segments are values, never steps', () => {
  const find = finder('GET /v1/{id}', 'GET /admin');
  assert.equal(find('GET /v1/..'), '/v1/{id}');
  assert.equal(find('GET /v1/%2e%2e'), '/v1/{id}');
  assert.equal(find('GET /v1/../admin'), 'none');
});

test('HEAD is GET, * is any method', () => {
  const find = finder('GET /a', '* /any', 'HEAD /own', 'GET /own');
  assert.equal(find('HEAD /a'), '/a');
  assert.equal(find('PURGE /any'), '/any');
  assert.equal(find('DELETE /a'), 'GET,HEAD,OPTIONS');
});

test('two routes that claim the same requests are refused, both named', () => {
  for (const [one, other] of [
    ['GET /v1/{a}', 'GET /v1/{b}'],
    ['GET /v1/{a=x/*}', 'GET /v1/x/*'],
    ['GET /v1/**', 'GET /v1/{c=**}'],
    ['POST /v1/{a}:do', 'POST /v1/*:do'],
    ['* /v1', '* /v1'],
  ] as const)
    assert.throws(
      () => createRouter([route(one), route(other)]),
      (error: unknown) =>
        error instanceof Error && error.message.startsWith(`${other} and ${one} both claim`),
    );
});

test('a thousand routes are searched no slower than one', () => {
  const routes = Array.from({ length: 1_000 }, (_, index) =>
    route(`GET /v1/things${index}/{id}/parts/{part}`),
  );
  const router = createRouter(routes);
  assert.equal(router.find('GET', '/v1/things999/a/parts/b').kind, 'found');
  assert.equal(router.find('GET', '/v1/things1000/a/parts/b').kind, 'none');
});
