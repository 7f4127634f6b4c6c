/** Serves the login page and tells oidc-provider who was chosen. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { errors } from 'oidc-provider';
import type { Provider } from 'oidc-provider';
import { accountOf } from './accounts.ts';
import { errorPage, loginPage } from './login-page.ts';

/** Bytes of a posted form. */
const LARGEST_FORM = 4_096;

/** Serves `/login/UID`; everything else is oidc-provider's own. */
export function identityListener(provider: Provider, onError: (error: unknown) => void): RequestListener {
  const own = provider.callback();
  return (request, response) => {
    const work =
      request.url?.startsWith('/login/') === true
        ? login(provider, request, response)
        : own(request, response);
    work.catch((error: unknown) => {
      onError(error);
      response.destroy();
    });
  };
}

async function login(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { params } = await provider.interactionDetails(request, response);
    const chosen =
      request.method === 'POST' ? accountOf((await readForm(request)).get('account') ?? '') : undefined;
    if (chosen === undefined) send(response, loginPage(String(params['client_id'])));
    else await provider.interactionFinished(request, response, { login: { accountId: chosen.subject } });
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    send(response, { ...errorPage('This login is over', 'Start again where you came from.'), status: 400 });
  }
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    if (text.length > LARGEST_FORM) throw new Error('the form is too large');
  }
  return new URLSearchParams(text);
}

function send(response: ServerResponse, { status, type, headers, body }: ReturnType<typeof loginPage>): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...headers }).end(body);
}
