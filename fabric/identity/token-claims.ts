/** What a token must say, beyond issuer, audience and expiry, to stand for a user. */
import type { Principal } from './principal.ts';
import { tokenInvalid } from './token-refusal.ts';

/** How claims are read. */
export type ClaimRules = {
  /** The claim that holds the roles: its name, or a dotted path such as `realm_access.roles`. */
  rolesClaim: string;
  /** Seconds since the epoch. */
  now: number;
};

/** Seconds that clocks may differ. */
export const CLOCK_TOLERANCE = 30;
/** Seconds; a token that lives longer than a day was not made for a request. */
const LONGEST_LIFE = 86_400;
const LONGEST_SUBJECT = 256;

/** Makes a user of verified claims (RFC 9068, section 2.2); refuses identity tokens and odd lifetimes. */
export function principalOf(payload: unknown, rules: ClaimRules): Principal {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw tokenInvalid('its claims are not an object');
  const claims: Record<string, unknown> = { ...payload };
  const { iss, sub } = claims;
  if (typeof iss !== 'string') throw tokenInvalid('it has no issuer');
  if (typeof sub !== 'string' || !isSubject(sub))
    throw tokenInvalid('its subject is not a plain text of 1 to 256 characters');
  for (const name of ['nonce', 'at_hash', 'c_hash'])
    if (Object.hasOwn(claims, name)) throw tokenInvalid('it is an identity token');
  const client = clientOf(claims);
  return {
    issuer: iss,
    subject: sub,
    roles: strings(claimAt(claims, rules.rolesClaim)),
    scopes: scopesOf(claims),
    expiresAt: expiryOf(claims, rules.now),
    ...(client === undefined ? {} : { clientId: client }),
  };
}

/** Control characters and lone surrogates would make two subjects look, or be stored, alike. */
function isSubject(sub: string): boolean {
  return sub.length > 0 && sub.length <= LONGEST_SUBJECT && sub.isWellFormed() && !/\p{Cc}/u.test(sub);
}

function expiryOf({ exp, iat }: Record<string, unknown>, now: number): Date {
  if (!isSeconds(exp)) throw tokenInvalid('it has no expiry in whole seconds');
  if (!isSeconds(iat)) throw tokenInvalid('it has no time of issue in whole seconds');
  if (iat > now + CLOCK_TOLERANCE) throw tokenInvalid('it was issued in the future');
  if (exp - iat > LONGEST_LIFE) throw tokenInvalid('it lives longer than a day');
  return new Date(exp * 1_000);
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function clientOf(claims: Record<string, unknown>): string | undefined {
  const client = claims['cid'] ?? claims['client_id'];
  if (client === undefined || typeof client === 'string') return client;
  throw tokenInvalid('its client is not a text');
}

function scopesOf({ scp, scope }: Record<string, unknown>): string[] {
  if (scp === undefined && scope === undefined) return [];
  if (typeof scope === 'string') return scope.split(' ').filter((each) => each !== '');
  if (Array.isArray(scp)) return strings(scp);
  throw tokenInvalid('its scopes are neither `scp` (a list) nor `scope` (a text)');
}

/** A claim by its whole name first, because names may be URLs with dots, then by its path. */
function claimAt(claims: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
