/** Tokens of the stand-in identity provider, for people and scripts on this machine. */
import { CommandError } from '../command-error.ts';
import { httpJson } from '../http-json.ts';
import type { FabricState } from './fabric-state.ts';

/** Whose token; `ttl` in seconds. */
export type TokenRequest = { sub: string; role: 'ADMIN' | 'CUSTOMER'; ttl: number };

/** How long the identity provider may take, in ms. */
const TIMEOUT = 5_000;

/** Whether tokens can be had here: another issuer gives its own. */
export function givesTokens({ developerSecret, endpoints }: FabricState): boolean {
  return developerSecret !== undefined && endpoints.idp !== undefined;
}

/** An access token, as the identity provider signs it; rejects with a CommandError that says what is missing. */
export async function requestToken(fabric: FabricState, request: TokenRequest): Promise<string> {
  const { developerSecret, endpoints } = fabric;
  if (developerSecret === undefined || endpoints.idp === undefined) {
    throw new CommandError(
      `tokens come from ${endpoints.idp ?? 'an identity provider'} here, not from Mercer`,
    );
  }
  const { status, body } = await httpJson(`${endpoints.idp}/dev/token`, {
    headers: { authorization: `Bearer ${developerSecret}` },
    body: { sub: request.sub, groups: [request.role], ttl: request.ttl },
    timeout: TIMEOUT,
  });
  const { access_token: token } = (body ?? {}) as { access_token?: unknown };
  if (typeof token === 'string') return token;
  throw new CommandError(`the identity provider gave no token (HTTP ${status})`);
}
