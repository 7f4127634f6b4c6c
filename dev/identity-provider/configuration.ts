/** How oidc-provider is set up: one API, a public client for browsers, a confidential one for operators. */
import { randomBytes } from 'node:crypto';
import { errors, interactionPolicy } from 'oidc-provider';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { accountOf } from './accounts.ts';
import { errorPage, logoutPage } from './login-page.ts';
import { oktaClaims } from './okta-claims.ts';
import type { Grant } from './okta-claims.ts';
import type { SigningKey } from './signing-key.ts';

/** What differs between identity providers. */
export type ProviderOptions = {
  /** The API that access tokens are for. */
  audience: string;
  key: SigningKey;
  /** Password of the client `ops`, which acts for itself as an ADMIN; there is no such client without it. */
  operatorSecret: string | undefined;
};

/** The scope that stands for the API. */
export const API_SCOPE = 'mercer';

const HOUR = 3_600;
const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/u;

/** The configuration; everything of it lives in memory but the signing key. */
export function configuration({ audience, key, operatorSecret }: ProviderOptions): Configuration {
  return {
    jwks: { keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: key.kid, use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: [browserClient(), ...(operatorSecret === undefined ? [] : [operatorClient(operatorSecret)])],
    clientBasedCORS: (_context, origin) => LOOPBACK.test(origin),
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups', API_SCOPE],
    claims: { openid: ['sub'], profile: ['name'], email: ['email'], groups: ['groups'] },
    conformIdTokenClaims: false,
    findAccount: (_context, subject) => {
      const account = accountOf(subject);
      if (account === undefined) return undefined;
      const { name, email, groups } = account;
      return { accountId: subject, claims: () => ({ sub: subject, name, email, groups: [...groups] }) };
    },
    extraTokenClaims: (_context, token) => ({
      groups: 'accountId' in token ? accountOf(token.accountId)?.groups : ['ADMIN'],
    }),
    formats: { customizers: { jwt: (_context, _token, parts) => shape(parts) } },
    loadExistingGrant: (context) => grantAll(context, audience),
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    interactions: { policy: policy(), url: (_context, { uid }) => `/login/${uid}` },
    renderError: (context, { error, error_description: description }) =>
      answer(context, errorPage(error, description)),
    features: features(audience),
    ttl: {
      AccessToken: HOUR,
      AuthorizationCode: 60,
      ClientCredentials: HOUR,
      Grant: 8 * HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: 8 * HOUR,
      Session: 8 * HOUR,
    },
  };
}

type Client = NonNullable<Configuration['clients']>[number];

/** RFC 8252, section 7.3: any port of a loopback redirect URI is accepted for a native client. */
function browserClient(): Client {
  const hosts = ['127.0.0.1', 'localhost', '[::1]'];
  const uris = hosts.flatMap((host) => [`http://${host}/`, `http://${host}/callback`]);
  return {
    client_id: 'web',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: uris,
    post_logout_redirect_uris: uris,
  };
}

function operatorClient(secret: string): Client {
  return {
    client_id: 'ops',
    client_secret: secret,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope: API_SCOPE,
  };
}

/** Whoever is logged in is not asked again: the check that native clients always ask (RFC 8252, 8.6) is left out. */
function policy(): interactionPolicy.DefaultPolicy {
  const prompts = interactionPolicy.base();
  prompts.get('consent')?.checks.remove('native_client_prompt');
  return prompts;
}

function features(audience: string): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (context, form) => answer(context, logoutPage(form)),
      postLogoutSuccessSource: (context) =>
        answer(context, errorPage('signed out', 'You may close this page.')),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => {
        if (resource !== audience) throw new errors.InvalidTarget();
        return {
          scope: `openid offline_access profile email groups ${API_SCOPE}`,
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: HOUR,
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
  };
}

/** The payload as oidc-provider writes it (RFC 9068). */
type Minted = Omit<Grant, 'client' | 'scopes'> & { client_id: string; scope?: string };

function shape(token: { payload: Record<string, unknown> }): void {
  const { client_id: client, scope = '', ...claims } = token.payload as Minted;
  const scopes = scope.split(' ').filter((each) => each !== '');
  token.payload = oktaClaims({ ...claims, client, scopes });
}

/** The client is ours, so that nobody is asked for consent: what it wants is granted. */
async function grantAll({ oidc }: KoaContextWithOIDC, audience: string) {
  const { client, session, provider, params } = oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  const scope = typeof params?.['scope'] === 'string' ? params['scope'] : '';
  grant.addOIDCScope(scope);
  grant.addResourceScope(audience, scope);
  await grant.save();
  return grant;
}

function answer(context: KoaContextWithOIDC, page: ReturnType<typeof errorPage>): void {
  context.set({ ...page.headers });
  context.type = 'html';
  context.body = page.body;
}
