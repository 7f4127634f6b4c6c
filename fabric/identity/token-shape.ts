/** What a token must look like before its signature is worth checking. */
import { tokenInvalid } from './token-refusal.ts';

/** Characters; an Okta access token with a hundred groups has about 4000. */
const LONGEST = 8_192;
const PART = /^[A-Za-z0-9_-]+$/u;
const KID = /^[A-Za-z0-9._~-]{1,128}$/u;
/** Access tokens only (RFC 9068, section 2.1); "JWT" is what Okta and many others write. */
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

/**
 * Reads the `kid` of a compact JWS. Refuses all but RS256 (RFC 8725, 3.1), `crit` and `cty` (no extension is
 * understood: RFC 7515, 4.1.11), keys that the token brings along, and types other than access tokens.
 */
export function readKid(token: string): string {
  if (token.length > LONGEST) throw tokenInvalid(`longer than ${LONGEST} characters`);
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => PART.test(part)))
    throw tokenInvalid('not three base64url parts');
  return checkedKid(parseHeader(parts[0] ?? ''));
}

function parseHeader(part: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return { ...header };
  } catch (cause) {
    throw tokenInvalid('its header is not JSON', cause);
  }
  throw tokenInvalid('its header is not an object');
}

function checkedKid(header: Record<string, unknown>): string {
  const { alg, kid, typ } = header;
  if (alg !== 'RS256') throw tokenInvalid('its algorithm is not RS256');
  for (const name of ['crit', 'cty', 'jwk', 'jku', 'x5u', 'x5c'])
    if (Object.hasOwn(header, name)) throw tokenInvalid(`its header has ${name}`);
  if (typ !== undefined && (typeof typ !== 'string' || !TYPES.has(typ.toLowerCase())))
    throw tokenInvalid('its type is not that of an access token');
  if (typeof kid !== 'string' || !KID.test(kid)) throw tokenInvalid('it names no key');
  return kid;
}
