/** A whole HTML page without scripts, and without anything from elsewhere. */
import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import type { HttpAnswer } from './router.ts';

/** What stands on it. */
export type PageContent = {
  title: string;
  body: Html;
  /** CSS after that of every page. */
  style?: string;
  /** 200 by default. */
  status?: number;
  /** Where its forms lead, redirects included; its own origin by default. */
  formAction?: string;
};

const STYLE = `
:root { color-scheme: light; --ink: #1c2430; --faint: #667085; --line: #e3e7ee; --ground: #f6f7f9; --accent: #2f5bd7; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;

/** A page as an answer; its Content-Security-Policy admits its own style and nothing else. */
export function page({
  title,
  body,
  style = '',
  status = 200,
  formAction = "'self'",
}: PageContent): HttpAnswer {
  const css = STYLE + style;
  // Outside of the template, because the hash below is of every character between the tags.
  const styled = new Html(`<style>${css}</style>`);
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        ${styled}
      </head>
      <body>
        ${body}
      </body>
    </html>`;
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = ["default-src 'none'", `style-src 'sha256-${hash}'`, `form-action ${formAction}`];
  return {
    status,
    type: 'text/html; charset=utf-8',
    body: document.text,
    headers: {
      'content-security-policy': [...policy, "frame-ancestors 'none'", "base-uri 'none'"].join('; '),
      'referrer-policy': 'no-referrer',
    },
  };
}
