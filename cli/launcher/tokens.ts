/** Tokens of the stand-in identity provider, for people and scripts on this machine. */
import { CommandError } from '../command-error.ts';
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
  const response = await fetch(`${endpoints.idp}/dev/token`, {
    method: 'POST',
    headers: { authorization: `Bearer ${developerSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ sub: request.sub, groups: [request.role], ttl: request.ttl }),
    signal: AbortSignal.timeout(TIMEOUT),
  });
  const body = (await response.json().catch(() => ({}))) as { access_token?: unknown };
  if (typeof body.access_token === 'string') return body.access_token;
  throw new CommandError(`the identity provider gave no token (HTTP ${response.status})`);
}
