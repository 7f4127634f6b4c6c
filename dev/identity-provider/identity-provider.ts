/** Puts the identity provider together: oidc-provider, the login page and developer tokens. */
import { Provider } from 'oidc-provider';
import type { Logger } from '#fabric/telemetry/logger.ts';
import type { Program } from '../stand-in/stand-in.ts';
import { configuration } from './configuration.ts';
import { developerTokens } from './developer-tokens.ts';
import { identityListener } from './login.ts';
import type { SigningKey } from './signing-key.ts';

/** What it is told. */
export type IdentityProviderOptions = {
  /** Its own URL, as clients see it. */
  issuer: string;
  audience: string;
  key: SigningKey;
  /** Guards developer tokens and the client `ops`; neither exists without it. */
  secret: string | undefined;
  log: Logger;
};

/** What it serves. */
export function openIdentityProvider({
  issuer,
  audience,
  key,
  secret,
  log,
}: IdentityProviderOptions): Program {
  const provider = new Provider(issuer, configuration({ audience, key, operatorSecret: secret }));
  const onError = (error: unknown): void =>
    log.error({ event: 'request_failed', err: error }, 'a request failed');
  provider.on('server_error', (_context, error) => onError(error));
  return {
    routes:
      secret === undefined ? {} : { 'POST /dev/token': developerTokens({ issuer, audience, key, secret }) },
    otherwise: identityListener(provider, onError),
  };
}
