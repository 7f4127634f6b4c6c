/** Which tokens stand for a user, and which are refused, checked against a real issuer. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { StatusError } from '../rpc/status-error.ts';
import { part, rawToken, signingKey, startIssuer } from './issuer.fixture.ts';
import type { Principal } from './principal.ts';
import { tokenVerifier } from './token-verifier.ts';
import type { TokenVerifier } from './token-verifier.ts';

const AUDIENCE = 'api://mercer';
const key = signingKey('k1');
const stranger = signingKey('k1');
const short = signingKey('short', 1_024);
const exponent3 = signingKey('e3', 2_048, 3);
const forEncryption = signingKey('enc');
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const issuer = await startIssuer([key, short, exponent3]);
issuer.keys.push({ ...forEncryption.jwk, use: 'enc' });
issuer.keys.push({ ...curve.publicKey.export({ format: 'jwk' }), kid: 'ec', use: 'sig' });
after(() => issuer[Symbol.asyncDispose]());

function verifier(options: { rolesClaim?: string; clock?: () => number } = {}): TokenVerifier {
  return tokenVerifier({ issuer: issuer.url, audience: AUDIENCE, rolesClaim: 'groups', ...options });
}

const now = (): number => Math.floor(Date.now() / 1_000);

/** The claims of an Okta access token for alice. */
function alice(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const life = { iat: now(), exp: now() + 3_600 };
  const whose = { iss: issuer.url, aud: AUDIENCE, sub: 'alice', cid: 'shop' };
  return {
    ver: 1,
    jti: 'AT.1',
    ...whose,
    ...life,
    scp: ['openid', 'orders'],
    groups: ['CUSTOMER'],
    ...changes,
  };
}

function okta(changes: Record<string, unknown> = {}, header: object = {}): string {
  return rawToken({ alg: 'RS256', kid: 'k1', ...header }, JSON.stringify(alice(changes)), key.privateKey);
}

async function refusal(token: string, judge = verifier()): Promise<StatusError> {
  const error = await Promise.try(() => judge.verify(token)).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(error instanceof StatusError, 'refused, with a status');
  return error;
}

test('a good token is its user', async () => {
  const principal = await verifier().verify(okta());
  const { expiresAt, ...rest } = principal;
  assert.deepEqual(rest, {
    issuer: issuer.url,
    subject: 'alice',
    roles: ['CUSTOMER'],
    scopes: ['openid', 'orders'],
    clientId: 'shop',
  } satisfies Omit<Principal, 'expiresAt'>);
  assert.ok(Math.abs(expiresAt.getTime() - Date.now() - 3_600_000) < 5_000);
});

const ACCEPTED: [string, () => string][] = [
  ['several audiences', () => okta({ aud: ['api://other', AUDIENCE] })],
  ['type at+jwt', () => okta({}, { typ: 'at+jwt' })],
  ['type application/at+jwt in any case', () => okta({}, { typ: 'application/AT+JWT' })],
  ['type JWT', () => okta({}, { typ: 'JWT' })],
  [
    'scope as text and client_id',
    () => okta({ scp: undefined, scope: 'a b', cid: undefined, client_id: 'x' }),
  ],
  ['neither scope nor client', () => okta({ scp: undefined, cid: undefined })],
  ['over for 20 s, as clocks differ', () => okta({ exp: now() - 20 })],
  ['issued 20 s ahead, as clocks differ', () => okta({ iat: now() + 20 })],
  ['not before now', () => okta({ nbf: now() })],
];
for (const [name, token] of ACCEPTED) {
  test(`accepted: ${name}`, async () => {
    assert.equal((await verifier().verify(token())).subject, 'alice');
  });
}

const spki = key.publicKey.export({ type: 'spki', format: 'pem' });
const claims = (changes: Record<string, unknown> = {}): string => JSON.stringify(alice(changes));
const good = okta();
const [head = '', body = '', signature = ''] = good.split('.');

const REFUSED: [string, () => string, RegExp][] = [
  ['empty', () => '', /base64url/u],
  ['two parts', () => `${head}.${body}`, /base64url/u],
  ['four parts', () => `${good}.x`, /base64url/u],
  ['no signature', () => `${head}.${body}.`, /base64url/u],
  ['padding', () => `${good}==`, /base64url/u],
  ['a space', () => ` ${good}`, /base64url/u],
  [
    '8193 characters',
    () => `${head}.${body}.${'A'.repeat(8_191 - head.length - body.length)}`,
    /longer than 8192/u,
  ],
  ['a header that is not JSON', () => `${part('{')}.${body}.${signature}`, /not JSON/u],
  ['a header that is a list', () => `${part('[]')}.${body}.${signature}`, /not an object/u],
  ['a header that is null', () => `${part('null')}.${body}.${signature}`, /not an object/u],
  ['algorithm none', () => `${part('{"alg":"none","kid":"k1"}')}.${body}.${signature}`, /RS256/u],
  ['algorithm nOnE', () => `${part('{"alg":"nOnE","kid":"k1"}')}.${body}.${signature}`, /RS256/u],
  ['HS256 with the public key', () => rawToken({ alg: 'HS256', kid: 'k1' }, claims(), spki), /RS256/u],
  [
    'RS256 announced, HMAC made',
    () => rawToken({ alg: 'RS256', kid: 'k1' }, claims(), spki),
    /invalid signature/u,
  ],
  ['PS256', () => okta({}, { alg: 'PS256' }), /RS256/u],
  ['ES256', () => rawToken({ alg: 'ES256', kid: 'ec' }, claims(), curve.privateKey), /RS256/u],
  [
    'an EC key under RS256',
    () => rawToken({ alg: 'RS256', kid: 'ec' }, claims(), curve.privateKey),
    /unknown/u,
  ],
  ['an embedded key', () => okta({}, { jwk: key.jwk }), /has jwk/u],
  ['a key by URL', () => okta({}, { jku: `${issuer.url}/keys` }), /has jku/u],
  ['a certificate by URL', () => okta({}, { x5u: `${issuer.url}/keys` }), /has x5u/u],
  ['an unknown critical extension', () => okta({}, { crit: ['exp2'], exp2: 1 }), /has crit/u],
  ['an empty crit', () => okta({}, { crit: [] }), /has crit/u],
  ['a nested token', () => okta({}, { cty: 'JWT' }), /has cty/u],
  ['a logout token', () => okta({}, { typ: 'logout+jwt' }), /type/u],
  ['a type that is a number', () => okta({}, { typ: 1 }), /type/u],
  ['no kid', () => okta({}, { kid: undefined }), /names no key/u],
  ['a kid that is a path', () => okta({}, { kid: '../../k1' }), /names no key/u],
  ['a kid that is a number', () => okta({}, { kid: 1 }), /names no key/u],
  ['a kid of 129 characters', () => okta({}, { kid: 'k'.repeat(129) }), /names no key/u],
  ['an unknown kid', () => okta({}, { kid: 'k9' }), /key is unknown/u],
  ['__proto__ as kid', () => okta({}, { kid: '__proto__' }), /key is unknown/u],
  ['a 1024-bit key', () => rawToken({ alg: 'RS256', kid: 'short' }, claims(), short.privateKey), /unknown/u],
  ['exponent 3', () => rawToken({ alg: 'RS256', kid: 'e3' }, claims(), exponent3.privateKey), /unknown/u],
  [
    'an encryption key',
    () => rawToken({ alg: 'RS256', kid: 'enc' }, claims(), forEncryption.privateKey),
    /unknown/u,
  ],
  [
    "a stranger's key",
    () => rawToken({ alg: 'RS256', kid: 'k1' }, claims(), stranger.privateKey),
    /signature/u,
  ],
  ['changed claims', () => `${head}.${part(claims({ sub: 'bob' }))}.${signature}`, /signature/u],
  ['another issuer', () => okta({ iss: 'https://evil.example' }), /issuer/u],
  ['an issuer with a slash more', () => okta({ iss: `${issuer.url}/` }), /issuer/u],
  ['no issuer', () => okta({ iss: undefined }), /issuer/u],
  ['another audience', () => okta({ aud: 'api://default' }), /audience/u],
  ['a longer audience', () => okta({ aud: `${AUDIENCE}.evil` }), /audience/u],
  ['no audience', () => okta({ aud: undefined }), /audience/u],
  ['no expiry', () => okta({ exp: undefined }), /no expiry/u],
  [
    'expiry 1e400',
    () =>
      rawToken({ alg: 'RS256', kid: 'k1' }, claims().replace(/"exp":\d+/u, '"exp":1e400'), key.privateKey),
    /no expiry/u,
  ],
  ['a fractional expiry', () => okta({ exp: now() + 60.5 }), /no expiry/u],
  ['expiry as text', () => okta({ exp: String(now() + 60) }), /exp/u],
  ['no time of issue', () => okta({ iat: undefined }), /no time of issue/u],
  ['time of issue as text', () => okta({ iat: 'now' }), /time of issue/u],
  ['issued in the future', () => okta({ iat: now() + 60 }), /in the future/u],
  ['not yet valid', () => okta({ nbf: now() + 60 }), /not active/u],
  ['not-before as text', () => okta({ nbf: 'x' }), /nbf/u],
  ['a life of two days', () => okta({ exp: now() + 172_800 }), /longer than a day/u],
  ['no subject', () => okta({ sub: undefined }), /subject/u],
  ['an empty subject', () => okta({ sub: '' }), /subject/u],
  ['a subject of 257 characters', () => okta({ sub: 's'.repeat(257) }), /subject/u],
  ['a subject that is a list', () => okta({ sub: ['alice'] }), /subject/u],
  ['a subject with NUL', () => okta({ sub: 'ali\u0000ce' }), /subject/u],
  ['a subject that is not Unicode', () => okta({ sub: 'ali\uD800ce' }), /subject/u],
  ['an identity token (nonce)', () => okta({ nonce: 'n' }), /identity token/u],
  ['an identity token (at_hash)', () => okta({ at_hash: 'h' }), /identity token/u],
  ['a client that is a number', () => okta({ cid: 7 }), /client/u],
  ['scopes that are a number', () => okta({ scp: 7 }), /scopes/u],
  ['claims that are a list', () => rawToken({ alg: 'RS256', kid: 'k1' }, '[]', key.privateKey), /./u],
  ['claims that are a text', () => rawToken({ alg: 'RS256', kid: 'k1' }, '"x"', key.privateKey), /./u],
  ['claims that are null', () => rawToken({ alg: 'RS256', kid: 'k1' }, 'null', key.privateKey), /./u],
  ['claims that are no JSON', () => rawToken({ alg: 'RS256', kid: 'k1' }, '{"a', key.privateKey), /./u],
];
for (const [name, token, why] of REFUSED) {
  test(`refused as TOKEN_INVALID: ${name}`, async () => {
    const error = await refusal(token());
    assert.equal(error.code, status.UNAUTHENTICATED);
    assert.equal(error.reason, 'TOKEN_INVALID');
    assert.match(error.message, why);
  });
}

test('an expired token says so', async () => {
  const error = await refusal(okta({ iat: now() - 3_600, exp: now() - 31 }));
  assert.equal(error.code, status.UNAUTHENTICATED);
  assert.equal(error.reason, 'TOKEN_EXPIRED');
});

const ROLES: [string, string, Record<string, unknown>, string[]][] = [
  ['a list', 'groups', { groups: ['ADMIN', 'CUSTOMER'] }, ['ADMIN', 'CUSTOMER']],
  ['texts among other things', 'groups', { groups: ['ADMIN', 7, null, ['CUSTOMER']] }, ['ADMIN']],
  ['no claim', 'groups', { groups: undefined }, []],
  ['a text, which is no list', 'groups', { groups: 'ADMIN' }, []],
  ['a path', 'realm_access.roles', { realm_access: { roles: ['ADMIN'] } }, ['ADMIN']],
  ['a name with dots', 'https://shop.example/roles', { 'https://shop.example/roles': ['ADMIN'] }, ['ADMIN']],
  ['a path that ends early', 'realm_access.roles', { realm_access: 'x' }, []],
];
for (const [name, rolesClaim, changes, roles] of ROLES) {
  test(`roles from ${name}`, async () => {
    assert.deepEqual((await verifier({ rolesClaim }).verify(okta(changes))).roles, roles);
  });
}

test('a token is verified once a minute, and answers at once in between', async () => {
  let time = Date.now();
  const judge = verifier({ clock: () => time });
  const token = okta();
  const first = await judge.verify(token);
  assert.equal(judge.verify(token), first, 'at once, the same');
  time += 61_000;
  const again = judge.verify(token);
  assert.ok(!(again instanceof Promise), 'at once, by the key at hand');
  assert.notEqual(again, first);
});

test('a remembered token ends when it expires', async () => {
  let time = Date.now();
  const judge = verifier({ clock: () => time });
  const token = okta({ exp: now() + 10 });
  await judge.verify(token);
  time += 45_000;
  assert.equal((await refusal(token, judge)).reason, 'TOKEN_EXPIRED');
});

test('a remembered token ends with its key', async () => {
  const next = signingKey('k2');
  await using rotating = await startIssuer([key]);
  const judge = tokenVerifier({ issuer: rotating.url, audience: AUDIENCE, rolesClaim: 'groups' });
  const token = okta({ iss: rotating.url });
  await judge.verify(token);
  rotating.keys = [next.jwk];
  const later = JSON.stringify(alice({ iss: rotating.url }));
  await judge.verify(rawToken({ alg: 'RS256', kid: 'k2' }, later, next.privateKey));
  assert.match((await refusal(token, judge)).message, /key is unknown/u);
});

test('while no key was ever fetched, a token is neither good nor bad', async () => {
  await using down = await startIssuer([key]);
  down.jwks = 'error';
  const judge = tokenVerifier({ issuer: down.url, audience: AUDIENCE, rolesClaim: 'groups' });
  const error = await refusal(okta({ iss: down.url }), judge);
  assert.equal(error.code, status.UNAVAILABLE);
  assert.equal(error.reason, 'KEYS_UNAVAILABLE');
});
