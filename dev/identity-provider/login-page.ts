/** The pages that people meet: whom to log in as, logging out, and what went wrong. */
import { Html, html } from '../stand-in/html.ts';
import { page } from '../stand-in/page.ts';
import type { HttpAnswer } from '../stand-in/router.ts';
import { ACCOUNTS } from './accounts.ts';

const STYLE = `
body { display: grid; min-height: 100vh; place-items: center; }
main { width: min(26rem, 92vw); padding: 2rem; background: #fff; border: 1px solid var(--line); border-radius: 12px; }
h1 { margin: 0 0 .25rem; font-size: 1.25rem; }
p { margin: 0 0 1.25rem; color: var(--faint); }
button { display: block; width: 100%; margin-top: .6rem; padding: .7rem 1rem; text-align: left; font: inherit;
  color: inherit; background: #fff; border: 1px solid var(--line); border-radius: 8px; cursor: pointer; }
button:hover { border-color: var(--accent); }
small { display: block; color: var(--faint); }
`;

/** After the form a redirect leads to the client, and Chromium holds form-action against that too. */
const FORM_ACTION = "'self' http://127.0.0.1:* http://localhost:* http://[::1]:*";

/** Asks whom to log in as; the answer is posted to the page's own URL. */
export function loginPage(client: string): HttpAnswer {
  const buttons = ACCOUNTS.map(
    ({ subject, name, groups }) =>
      html`<button name="account" value="${subject}">
        ${subject}<small>${name} · ${groups.join(', ')}</small>
      </button>`,
  );
  return show(
    'Log in',
    html`<p>for ${client}, on this machine only</p>
      <form method="post">${buttons}</form>`,
  );
}

/** Asks whether to log out; `form` is oidc-provider's own. */
export function logoutPage(form: string): HttpAnswer {
  return show(
    'Log out?',
    html`${new Html(form)}<button form="op.logoutForm" name="logout" value="yes">Log out</button>
      <button form="op.logoutForm">Stay</button>`,
  );
}

/** Says what went wrong, or that all is done. */
export function errorPage(title: string, description = ''): HttpAnswer {
  return show(title, html`<p>${description}</p>`);
}

function show(title: string, body: Html): HttpAnswer {
  return page({
    title,
    style: STYLE,
    formAction: FORM_ACTION,
    body: html`<main>
      <h1>${title}</h1>
      ${body}
    </main>`,
  });
}
