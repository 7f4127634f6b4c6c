/** The public keys of an identity provider, found through its discovery document. */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import jwksClient from 'jwks-rsa';
import type { SigningKey } from 'jwks-rsa';
import { boundedFetch } from './bounded-fetch.ts';

/** Keys by `kid`, and for how many seconds the provider calls them fresh. */
export type KeySet = { keys: ReadonlyMap<string, KeyObject>; maxAge: number | undefined };

/** For discovery and keys together, in ms. */
const LONGEST_FETCH = 2_000;
/** NIST SP 800-131A: shorter RSA keys and smaller exponents than FIPS 186-5 allows are not trusted. */
const SHORTEST_MODULUS = 2_048;
const SMALLEST_EXPONENT = 65_537n;

/**
 * Fetches the signing keys of an issuer: `jwks_uri` of its discovery document (OpenID Connect Discovery 1.0,
 * section 4), which is looked up at the first call and again after a failure. Only RSA keys for RS256 of at
 * least 2048 bits count. Rejects within 2 s; never answers an empty set.
 */
export function issuerKeys(issuer: string): () => Promise<KeySet> {
  let uri: string | undefined;
  return async () => {
    const signal = AbortSignal.timeout(LONGEST_FETCH);
    try {
      uri ??= await discover(issuer, signal);
      return await fetchKeys(uri, signal);
    } catch (error) {
      uri = undefined;
      throw error;
    }
  };
}

async function discover(issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/u, '')}/.well-known/openid-configuration`;
  const { body } = await boundedFetch(url, signal);
  if (!isRecord(body) || body['issuer'] !== issuer) throw new Error(`${url} speaks for another issuer`);
  const uri = body['jwks_uri'];
  if (typeof uri !== 'string' || !/^https?:\/\//u.test(uri)) throw new Error(`${url} names no jwks_uri`);
  return uri;
}

/** jwks-rsa never settles on a body that stalls (4.1.0), so it reads through a fetcher with limits. */
async function fetchKeys(uri: string, signal: AbortSignal): Promise<KeySet> {
  let maxAge: number | undefined;
  const fetcher = async (): Promise<{ keys: unknown }> => {
    const fetched = await boundedFetch(uri, signal);
    maxAge = fetched.maxAge;
    if (!isRecord(fetched.body)) throw new Error(`${uri} is no key set`);
    return { keys: fetched.body['keys'] };
  };
  const client = jwksClient({ jwksUri: uri, cache: false, rateLimit: false, fetcher });
  const keys = new Map(trusted(await client.getSigningKeys()));
  if (keys.size === 0) throw new Error(`${uri} has no RSA key for RS256 of 2048 bits or more`);
  return { keys, maxAge };
}

function trusted(signingKeys: SigningKey[]): [string, KeyObject][] {
  return signingKeys.flatMap((signingKey): [string, KeyObject][] => {
    const { kid, alg }: { kid?: string; alg?: string } = signingKey;
    if (kid === undefined || (alg !== undefined && alg !== 'RS256')) return [];
    const key = createPublicKey(signingKey.getPublicKey());
    return isStrong(key) ? [[kid, key]] : [];
  });
}

function isStrong(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return (
    key.asymmetricKeyType === 'rsa' &&
    modulusLength >= SHORTEST_MODULUS &&
    publicExponent >= SMALLEST_EXPONENT
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
