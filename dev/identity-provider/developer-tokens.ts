/** Gives the command line tokens for any user, on this machine and for a secret only. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import jwt from 'jsonwebtoken';
import { HttpError } from '../stand-in/http-error.ts';
import { json, readObject } from '../stand-in/json.ts';
import type { Handler, HttpRequest } from '../stand-in/router.ts';
import { API_SCOPE } from './configuration.ts';
import { oktaClaims } from './okta-claims.ts';
import type { SigningKey } from './signing-key.ts';

/** Whose tokens, and for whom. */
export type DeveloperTokenOptions = { issuer: string; audience: string; key: SigningKey; secret: string };

/** Seconds; verifiers refuse tokens that live longer. */
const LONGEST_LIFE = 86_400;
const DEFAULT_LIFE = 3_600;
/** Control characters and what is no text are refused by verifiers too. */
const SUBJECT = /^[^\p{Cc}\p{Cs}]{1,256}$/u;
const GROUP = /^[\w.:-]{1,64}$/u;
const MOST_GROUPS = 20;

/**
 * `{sub, groups, ttl}` -> `{access_token, token_type, expires_in}`. `role`, a text or a list, may stand for `groups`;
 * `ttl` is in seconds, an hour by default, a day at most; a negative one gives a token that has expired already.
 * 403 for callers from elsewhere, 401 without `Authorization: Bearer SECRET`.
 */
export function developerTokens({ issuer, audience, key, secret }: DeveloperTokenOptions): Handler {
  return (request) => {
    demandLoopback(request);
    demandSecret(request, secret);
    const { subject, groups, life } = readWish(request.body);
    const now = Math.floor(Date.now() / 1_000);
    const claims = oktaClaims({
      iss: issuer,
      aud: audience,
      sub: subject,
      jti: randomUUID(),
      iat: now + Math.min(0, life),
      exp: now + life,
      client: 'developer',
      scopes: ['openid', API_SCOPE],
      groups,
    });
    const header = { alg: 'RS256', typ: 'at+jwt', kid: key.kid } as const;
    const token = jwt.sign(claims, key.privateKey, { algorithm: 'RS256', header });
    return json({ access_token: token, token_type: 'Bearer', expires_in: life });
  };
}

function demandLoopback({ remoteAddress }: HttpRequest): void {
  const address = remoteAddress.replace(/^::ffff:/u, '');
  if (address === '::1' || (isIPv4(address) && address.startsWith('127.'))) return;
  throw new HttpError(403, 'not_from_here', { message: 'developer tokens are given on this machine only' });
}

function demandSecret({ headers }: HttpRequest, secret: string): void {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${secret}`))) return;
  throw new HttpError(401, 'secret_wrong', {
    message: 'the secret is missing or wrong',
    headers: { 'www-authenticate': 'Bearer' },
  });
}

function readWish(body: Buffer): { subject: string; groups: string[]; life: number } {
  const { sub, ttl = DEFAULT_LIFE, ...wish } = readObject(body);
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) throw invalid('sub must be 1 to 256 plain characters');
  if (!Number.isInteger(ttl) || ttl === 0 || Math.abs(Number(ttl)) > LONGEST_LIFE)
    throw invalid(`ttl must be a whole number of seconds, at most ${LONGEST_LIFE}`);
  const groups = [wish['groups'] ?? wish['roles'] ?? wish['role'] ?? []].flat();
  if (!groups.every(isGroup) || groups.length > MOST_GROUPS)
    throw invalid('groups must be a list of at most 20 names');
  return { subject: sub, groups, life: Number(ttl) };
}

function isGroup(value: unknown): value is string {
  return typeof value === 'string' && GROUP.test(value);
}

function invalid(message: string): HttpError {
  return new HttpError(400, 'field_invalid', { message });
}
