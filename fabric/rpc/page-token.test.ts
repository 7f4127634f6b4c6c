/** Page tokens survive a round trip and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pageTokens } from './page-token.ts';

const tokens = pageTokens('a secret');
const refused = { name: 'StatusError', reason: 'PAGE_TOKEN_INVALID' };

test('a token gives its position back to the query it was issued for', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (query, position) => {
      assert.deepEqual(tokens.read(query, tokens.sign(query, position)), position);
    }),
  );
});

test('a token of another query or another secret is refused', () => {
  const token = tokens.sign('category=phones', ['x']);
  assert.throws(() => tokens.read('category=laptops', token), refused);
  assert.throws(() => pageTokens('another').read('category=phones', token), refused);
});

test('a changed, cut or lengthened token is refused', () => {
  const token = tokens.sign('q', ['x']);
  for (const bad of [`A${token}`, token.slice(0, -2), `${token}.x`, 'x', '', '.', 'a.b']) {
    assert.throws(() => tokens.read('q', bad), refused, bad);
  }
});
