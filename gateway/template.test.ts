/** Path templates: what google/api/http.proto allows, and all that it does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTemplate } from './template.ts';

test('a template becomes segments, a verb and variables that know their segments', () => {
  const template = parseTemplate('/v1/{parent=shelves/*}/books/{book.id}:cancel');
  assert.deepEqual(template.segments, [
    { kind: 'literal', text: 'v1' },
    { kind: 'literal', text: 'shelves' },
    { kind: 'one' },
    { kind: 'literal', text: 'books' },
    { kind: 'one' },
  ]);
  assert.equal(template.verb, 'cancel');
  assert.deepEqual(template.variables, [
    { fieldPath: ['parent'], start: 1, end: 3, multiple: true },
    { fieldPath: ['book', 'id'], start: 4, end: 5, multiple: false },
  ]);
});

test('a variable may take the rest of the path, before a verb too', () => {
  const template = parseTemplate('/files/{name=a/**}:read');
  assert.deepEqual(template.variables, [{ fieldPath: ['name'], start: 1, end: undefined, multiple: true }]);
  assert.equal(template.verb, 'read');
  assert.equal(parseTemplate('/{name=**}:read').segments.length, 1);
});

test('a literal is kept decoded', () => {
  assert.deepEqual(parseTemplate('/a%20b').segments, [{ kind: 'literal', text: 'a b' }]);
});

const ACCEPTED = [
  '/**',
  '/*',
  '/*:verb',
  '/**:verb',
  '/{a=*}',
  '/{a_1.b2=x/*/y/**}',
  '/a/b:c',
  '/.well-known/x',
];
for (const text of ACCEPTED)
  test(`"${text}" is a template`, () => {
    assert.equal(parseTemplate(text).text, text);
  });

const REFUSED = [
  '',
  '/',
  '//',
  'a',
  'a/b',
  'a/{x}/b',
  '{x}',
  ':verb',
  '/:verb',
  '/:',
  ':',
  '/a/',
  '/a//b',
  '/a/:verb',
  '/*:',
  '/**:',
  '/{var}:',
  '/a/b:',
  '/a/*:',
  '/a:b/c',
  '/a:b:c',
  '/a:*',
  '/a:{x}',
  '/a/{x=b:verb}',
  '/{',
  '/{}',
  '/{=*}',
  '/a/{',
  '/a/{var',
  '/a/{var.',
  '/a/{var.}',
  '/{1a}',
  '/{x.}',
  '/{x=}',
  '/{x=*=*}',
  '/{x=/a}',
  '/{x=/a/b}',
  '/{x=a/}',
  '/{x=a//b}',
  '/{x={y}}',
  '/{x=a/{y=b}}',
  '/{x}{y}',
  '/{x}/{x}',
  '/a{x}',
  '/{x}b',
  '/a{x}b',
  '/{x}a{y}',
  '/a/b*',
  '/*b',
  '/a/**b',
  '/***',
  '/}',
  '/a}',
  '/a?b',
  '/a#b',
  '/a/**/b',
  '/**/*',
  '/{x=**}/b',
  '/{x=**/b}',
  '/a b',
  '/%zz',
  '/%ff',
  '/é',
];
for (const text of REFUSED)
  test(`"${text}" is refused by name`, () => {
    assert.throws(
      () => parseTemplate(text),
      (error: unknown) => error instanceof Error && error.message.startsWith(`path template "${text}": `),
    );
  });
