/** Pages admit their own style and nothing else, whatever stands on them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { html } from './html.ts';
import { page } from './page.ts';

test('the policy of a page admits exactly the style that the page has', () => {
  const { body = '', headers } = page({ title: 't', body: html`<p>x</p>`, style: 'p { color: red; }' });
  const [, css = ''] = /<style>([^]*)<\/style>/u.exec(body) ?? [];
  assert.match(css, /p \{ color: red; \}$/u);
  const hash = createHash('sha256').update(css).digest('base64');
  assert.ok(headers?.['content-security-policy']?.includes(`style-src 'sha256-${hash}';`));
});

test('no value can leave the text or the quoted attribute that it stands in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const { text } = html`<p title="${value}">${value}</p>`;
      const [, attribute = '', content = ''] = /^<p title="([^"<>']*)">([^"<>']*)<\/p>$/u.exec(text) ?? [];
      assert.equal(unescape(attribute), value);
      assert.equal(unescape(content), value);
    }),
  );
});

test('markup inside markup is not escaped again', () => {
  const item = html`${'<'}`;
  assert.equal(html`${[item, item]}${item}`.text, '&lt;&lt;&lt;');
});

function unescape(text: string): string {
  const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replaceAll(/&([a-z]+|#39);/gu, (_, name: string) => characters[name] ?? '');
}
