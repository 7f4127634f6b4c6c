/** Tells which user a bearer token stands for, or why it stands for none. */
import { hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { issuerKeys } from './issuer-keys.ts';
import { KeyRing } from './key-ring.ts';
import type { Principal } from './principal.ts';
import { CLOCK_TOLERANCE, principalOf } from './token-claims.ts';
import { tokenExpired, tokenInvalid } from './token-refusal.ts';
import { readKid } from './token-shape.ts';

/** Verifies access tokens. */
export type TokenVerifier = {
  /**
   * The user of a token, at once when token or key is known. Throws or rejects with UNAUTHENTICATED (reason
   * TOKEN_INVALID or TOKEN_EXPIRED), or with UNAVAILABLE (KEYS_UNAVAILABLE) while the issuer's keys are out of reach.
   */
  verify: (token: string) => Principal | Promise<Principal>;
};

/** Whose tokens are accepted. */
export type TokenVerifierOptions = {
  /** Exactly the `iss` of its tokens; its discovery document is looked up at the first token. */
  issuer: string;
  /** Must be among `aud`. */
  audience: string;
  /** The claim that holds the roles, "groups"; may be a dotted path. */
  rolesClaim: string;
  /** Milliseconds since the epoch. */
  clock?: () => number;
};

type Verified = { principal: Principal; until: number };

/** A verified token is remembered for this long, in ms, and never longer than it lives. */
const LONGEST_MEMORY = 60_000;
const MOST_TOKENS = 10_000;

/** A verifier of RS256 access tokens of one issuer (RFC 9068, RFC 8725). Dials nothing until the first token. */
export function tokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const clock = options.clock ?? Date.now;
  const verified = new LRUCache<string, Verified>({ max: MOST_TOKENS });
  const ring = new KeyRing({
    fetchKeys: issuerKeys(options.issuer),
    clock: options.clock ?? (() => performance.now()),
    onChange: () => verified.clear(),
  });
  const check = (token: string, name: string, key: KeyObject | undefined): Principal => {
    if (key === undefined) throw tokenInvalid('its key is unknown');
    const principal = checkToken(token, key, { ...options, now: Math.floor(clock() / 1_000) });
    const until = Math.min(principal.expiresAt.getTime(), clock() + LONGEST_MEMORY);
    verified.set(name, { principal, until });
    return principal;
  };
  return {
    verify: (token) => {
      const name = hash('sha256', token, 'base64url');
      const known = verified.get(name);
      if (known !== undefined && known.until > clock()) return known.principal;
      const kid = readKid(token);
      const key = ring.held(kid);
      return key === undefined
        ? ring.find(kid).then((found) => check(token, name, found))
        : check(token, name, key);
    },
  };
}

type Rules = { issuer: string; audience: string; rolesClaim: string; now: number };

function checkToken(token: string, key: KeyObject, { issuer, audience, rolesClaim, now }: Rules): Principal {
  return principalOf(
    checkedPayload(() =>
      jwt.verify(token, key, {
        algorithms: ['RS256'],
        issuer,
        audience,
        clockTolerance: CLOCK_TOLERANCE,
        clockTimestamp: now,
      }),
    ),
    { rolesClaim, now },
  );
}

/** jsonwebtoken throws SyntaxError and TypeError on some crafted tokens: whatever it throws is a bad token. */
function checkedPayload(verify: () => unknown): unknown {
  try {
    return verify();
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError) throw tokenExpired(error);
    throw tokenInvalid(error instanceof jwt.JsonWebTokenError ? error.message : 'malformed', error);
  }
}
