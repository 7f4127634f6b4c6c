/** Tells who calls, and whether the method's access option lets them in. */
import type { IncomingMessage } from 'node:http';
import { judge } from '#fabric/rpc/access.ts';
import type { Principal } from '#fabric/identity/principal.ts';
import type { TokenVerifier } from '#fabric/identity/token-verifier.ts';
import type { Plan } from './plan.ts';
import { accessDenied, tokenMalformed, tokenMissing } from './refusals.ts';

/** Who calls. */
export type Caller = { user: Principal | undefined; token: string | undefined };

/**
 * Admits a request or throws: UNAUTHENTICATED for a bad token, even where anyone may call, and for a missing
 * one that could help; PERMISSION_DENIED otherwise. An HTTP client has no certificate, so a rule that names
 * callers never admits it.
 */
export async function authenticate(
  request: IncomingMessage,
  plan: Plan,
  verifier: TokenVerifier,
): Promise<Caller> {
  const token = bearerToken(request);
  const user = token === undefined ? undefined : await verifier.verify(token);
  const verdict = judge(plan.access, { user });
  if (verdict === 'unauthenticated') throw tokenMissing();
  if (verdict === 'denied') throw accessDenied(plan.name);
  return { user, token };
}

/** RFC 6750, section 2.1; a header in another scheme is a bad token, not none. */
function bearerToken(request: IncomingMessage): string | undefined {
  const given = request.headersDistinct['authorization'];
  if (given === undefined) return undefined;
  const token =
    given.length === 1 ? /^Bearer +(?<token>[A-Za-z0-9._~+/-]+=*) *$/iu.exec(given[0] ?? '') : null;
  if (token?.groups?.['token'] === undefined) throw tokenMalformed();
  return token.groups['token'];
}
