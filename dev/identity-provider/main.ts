/** The identity provider of a development machine: OpenID Connect with Okta's tokens, two users and no passwords. */
import { runStandIn } from '../stand-in/stand-in.ts';
import { logLibraryNotices } from './library-notices.ts';
import { openSigningKey } from './signing-key.ts';

await runStandIn({ name: 'idp', port: 9000 }, async ({ log, dataDir, port, env }) => {
  logLibraryNotices(log);
  // Only now: oidc-provider speaks when it is imported.
  const { openIdentityProvider } = await import('./identity-provider.ts');
  return openIdentityProvider({
    issuer: env['MERCER_OIDC_ISSUER'] ?? `http://127.0.0.1:${port}`,
    audience: env['MERCER_OIDC_AUDIENCE'] ?? 'api://mercer',
    key: await openSigningKey(dataDir),
    secret: env['MERCER_DEV_SECRET'] === '' ? undefined : env['MERCER_DEV_SECRET'],
    log,
  });
});
