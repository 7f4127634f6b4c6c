/** The identity provider as clients and verifiers meet it: its own process, over HTTP. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import jwt from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import { tokenVerifier } from '#fabric/identity/token-verifier.ts';
import { scratchFolder, startStandIn } from '../stand-in/stand-in.fixture.ts';
import type { Running } from '../stand-in/stand-in.fixture.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const SECRET = 'developer-secret';
const AUDIENCE = 'api://mercer';

type Body = Record<string, unknown>;

async function start(env: Record<string, string> = {}): Promise<Running> {
  return startStandIn(MAIN, { MERCER_DATA_DIR: await scratchFolder(), MERCER_DEV_SECRET: SECRET, ...env });
}

const idp = await start();

/** Verifies as services behind Okta do: by kid from the issuer's JWKS, RS256 only, issuer and audience exact. */
async function verify(token: string, { url }: Running = idp): Promise<Body> {
  const { jwks_uri: jwksUri } = (await getJson(`${url}/.well-known/openid-configuration`)) as {
    jwks_uri: string;
  };
  const { header } = jwt.decode(token, { complete: true }) ?? {};
  const key = await jwksRsa({ jwksUri }).getSigningKey(header?.kid);
  const options = { algorithms: ['RS256' as const], issuer: url, audience: AUDIENCE };
  return jwt.verify(token, key.getPublicKey(), options) as Body;
}

async function getJson(url: string): Promise<Body> {
  return (await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).json()) as Body;
}

async function developerToken(wish: object, { authorization = `Bearer ${SECRET}`, base = idp.url } = {}) {
  const response = await fetch(`${base}/dev/token`, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify(wish),
    signal: AbortSignal.timeout(5_000),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

async function tokenOf(wish: object, base = idp.url): Promise<string> {
  const { body } = await developerToken(wish, { base });
  return String(body['access_token']);
}

test('discovery names the issuer and its keys, and keys are public', async () => {
  const { issuer, jwks_uri } = await getJson(`${idp.url}/.well-known/openid-configuration`);
  assert.equal(issuer, idp.url);
  const { keys } = (await getJson(String(jwks_uri))) as { keys: Body[] };
  assert.deepEqual(Object.keys(keys[0] ?? {}).toSorted(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
});

test('a developer token has the claims of Okta and passes an Okta verifier', async () => {
  const { status, body } = await developerToken({ sub: 'alice', groups: ['CUSTOMER'], ttl: 600 });
  assert.equal(status, 200);
  assert.equal(body['expires_in'], 600);
  const token = String(body['access_token']);
  const { iat, exp, jti, uid, ...claims } = await verify(token);
  assert.deepEqual(claims, {
    ver: 1,
    iss: idp.url,
    aud: AUDIENCE,
    sub: 'alice',
    cid: 'developer',
    scp: ['openid', 'mercer'],
    groups: ['CUSTOMER'],
  });
  assert.equal(Number(exp) - Number(iat), 600);
  assert.match(String(jti), /^[0-9a-f-]{36}$/u);
  assert.match(String(uid), /^00u[0-9a-f]{17}$/u);
});

test('the verifier of the fabric admits it, with its roles', async () => {
  const { verify: admit } = tokenVerifier({ issuer: idp.url, audience: AUDIENCE, rolesClaim: 'groups' });
  const { subject, roles, clientId } = await admit(await tokenOf({ sub: 'admin', role: 'ADMIN' }));
  assert.deepEqual(
    { subject, roles, clientId },
    { subject: 'admin', roles: ['ADMIN'], clientId: 'developer' },
  );
});

test('a negative ttl gives a token that has expired', async () => {
  const token = await tokenOf({ sub: 'late', groups: [], ttl: -60 });
  await assert.rejects(verify(token), jwt.TokenExpiredError);
});

test('a token of another key with the same name is refused', async () => {
  const token = await tokenOf({ sub: 'alice' });
  const { header, payload } = jwt.decode(token, { complete: true }) ?? {};
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const forged = jwt.sign(payload as Body, privateKey, { algorithm: 'RS256', keyid: String(header?.kid) });
  await assert.rejects(verify(forged), /invalid signature/u);
});

test('developer tokens need the secret', async () => {
  for (const authorization of ['', 'Bearer ', `Bearer ${SECRET}x`, `Basic ${SECRET}`]) {
    const { status, body } = await developerToken({ sub: 'alice' }, { authorization });
    assert.equal(status, 401);
    assert.ok(!('access_token' in body));
  }
});

test('developer tokens do not exist where no secret was set', async () => {
  const closed = await start({ MERCER_DEV_SECRET: '' });
  const asked = await fetch(`${closed.url}/dev/token`, { method: 'POST', body: '{"sub":"alice"}' });
  assert.equal(asked.status, 404);
});

const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;

test('developer tokens are refused to callers from elsewhere', { skip: address === undefined }, async () => {
  const open = await start({ MERCER_HTTP_BIND: '0.0.0.0' });
  const base = open.url.replace('127.0.0.1', String(address));
  assert.equal((await developerToken({ sub: 'alice' }, { base })).status, 403);
  assert.equal((await developerToken({ sub: 'alice' }, { base: open.url })).status, 200);
});

test('wishes that make no sense are refused', async () => {
  for (const wish of [
    {},
    { sub: '' },
    { sub: 'a\nb' },
    { sub: 'x'.repeat(257) },
    { sub: 'a', ttl: 0 },
    { sub: 'a', ttl: 86_401 },
    { sub: 'a', ttl: '60' },
    { sub: 'a', groups: ['ADMIN', 5] },
    { sub: 'a', groups: Array.from({ length: 21 }, () => 'ADMIN') },
  ])
    assert.equal((await developerToken(wish)).status, 400, JSON.stringify(wish));
});

test('an operator gets an ADMIN token for itself by client credentials, and only with its secret', async () => {
  const grant = { grant_type: 'client_credentials', scope: 'mercer', client_id: 'ops' };
  const { access_token: token, token_type: type } = await postForm({ ...grant, client_secret: SECRET });
  assert.equal(type, 'Bearer');
  const { sub, cid, scp, groups, ver, uid } = await verify(String(token));
  assert.deepEqual(
    { sub, cid, scp, groups, ver, uid },
    { sub: 'ops', cid: 'ops', scp: ['mercer'], groups: ['ADMIN'], ver: 1, uid: undefined },
  );
  assert.equal((await postForm({ ...grant, client_secret: 'wrong' }))['error'], 'invalid_client');
});

async function postForm(form: Record<string, string>): Promise<Body> {
  const response = await fetch(`${idp.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
  return (await response.json()) as Body;
}

/** A browser: keeps cookies, and stops at pages and where a redirect leaves the provider. */
class Browser {
  readonly #cookies = new Map<string, string>();

  async open(start: string, init: RequestInit = {}): Promise<{ url: URL; page: string; policy: string }> {
    let url = new URL(start);
    let request = init;
    for (let hops = 0; hops < 10 && url.origin === idp.url; hops += 1) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { ...request, headers: { cookie }, redirect: 'manual' });
      for (const set of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/u.exec(set) ?? [];
        this.#cookies.set(name, value);
      }
      const location = response.headers.get('location');
      const policy = response.headers.get('content-security-policy') ?? '';
      if (location === null) return { url, page: await response.text(), policy };
      url = new URL(location, url);
      request = {};
    }
    return { url, page: '', policy: '' };
  }
}

const CALLBACK = 'http://127.0.0.1:5173/callback';

function authorization(verifier: string, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: 'web',
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid groups mercer',
    state: 's',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  });
  return `${idp.url}/auth?${query.toString()}`;
}

for (const [account, group] of [
  ['admin', 'ADMIN'],
  ['customer', 'CUSTOMER'],
] as const) {
  test(`${account} logs in by the page, with code and PKCE, and refreshes`, async () => {
    const browser = new Browser();
    const verifier = randomBytes(32).toString('base64url');
    const login = await browser.open(authorization(verifier));
    assert.match(login.page, new RegExp(`<button name="account" value="${account}">`, 'u'));
    assert.match(login.policy, /default-src 'none'/u);
    const { url } = await browser.open(login.url.href, {
      method: 'POST',
      body: new URLSearchParams({ account }),
    });
    assert.equal(`${url.origin}${url.pathname}`, CALLBACK);
    assert.equal(url.searchParams.get('state'), 's');
    const code = url.searchParams.get('code') ?? '';
    const exchange = { grant_type: 'authorization_code', client_id: 'web', redirect_uri: CALLBACK, code };
    assert.equal((await postForm({ ...exchange, code_verifier: 'w'.repeat(43) }))['error'], 'invalid_grant');
    const again = await browser.open(authorization(verifier));
    const fresh = { ...exchange, code: again.url.searchParams.get('code') ?? '', code_verifier: verifier };
    const tokens = await postForm(fresh);
    const { sub, cid, groups, scp } = await verify(String(tokens['access_token']));
    assert.deepEqual(
      { sub, cid, groups, scp },
      { sub: account, cid: 'web', groups: [group], scp: ['openid', 'groups', 'mercer'] },
    );
    assert.deepEqual((jwt.decode(String(tokens['id_token'])) as Body)['groups'], [group]);
    const refreshed = await postForm({
      grant_type: 'refresh_token',
      client_id: 'web',
      refresh_token: String(tokens['refresh_token']),
    });
    assert.equal((await verify(String(refreshed['access_token'])))['sub'], account);
  });
}

test('a code is not given without PKCE, nor to an address that is not on this machine', async () => {
  const browser = new Browser();
  const verifier = randomBytes(32).toString('base64url');
  const plain = new URL(authorization(verifier));
  for (const name of ['code_challenge', 'code_challenge_method']) plain.searchParams.delete(name);
  const { url } = await browser.open(plain.href);
  assert.equal(url.searchParams.get('error'), 'invalid_request');
  const elsewhere = await browser.open(
    authorization(verifier, { redirect_uri: 'https://evil.example/callback' }),
  );
  assert.match(elsewhere.page, /redirect_uri/u);
  assert.ok(!elsewhere.page.includes('googleapis'));
});

test('a login that was never begun leads to a page that says so', async () => {
  const response = await fetch(`${idp.url}/login/unknown`);
  assert.equal(response.status, 400);
  assert.match(await response.text(), /This login is over/u);
});

test('nobody but the two users can be chosen', async () => {
  const browser = new Browser();
  const login = await browser.open(authorization(randomBytes(32).toString('base64url')));
  const { page } = await browser.open(login.url.href, {
    method: 'POST',
    body: new URLSearchParams({ account: 'root' }),
  });
  assert.match(page, /Log in/u);
});

test('a page of this machine may exchange its code across origins, others may not', async () => {
  const ask = async (origin: string): Promise<string | null> => {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'web', refresh_token: 'x' });
    const response = await fetch(`${idp.url}/token`, { method: 'POST', headers: { origin }, body: form });
    return response.headers.get('access-control-allow-origin');
  };
  assert.equal(await ask('http://localhost:5173'), 'http://localhost:5173');
  assert.equal(await ask('https://evil.example'), null);
});

test('tokens survive a restart, and the key is for its owner alone', async () => {
  const dataDir = await scratchFolder();
  const issuer = 'http://idp.test:9000';
  const first = await start({ MERCER_DATA_DIR: dataDir, MERCER_OIDC_ISSUER: issuer });
  const token = await tokenOf({ sub: 'alice' }, first.url);
  assert.equal(await first.end(), 0);
  const second = await start({ MERCER_DATA_DIR: dataDir, MERCER_OIDC_ISSUER: issuer });
  const { header } = jwt.decode(token, { complete: true }) ?? {};
  const key = await jwksRsa({ jwksUri: `${second.url}/jwks` }).getSigningKey(header?.kid);
  assert.equal((jwt.verify(token, key.getPublicKey(), { issuer }) as Body)['sub'], 'alice');
  assert.equal((await stat(join(dataDir, 'signing-key.pem'))).mode & 0o777, 0o600);
});

test('it warns of nothing, says no secret, and ends within two seconds', async () => {
  for (const path of ['livez', 'readyz']) assert.equal((await fetch(`${idp.url}/${path}`)).status, 200);
  const began = performance.now();
  assert.equal(await idp.end('SIGINT'), 0);
  assert.ok(performance.now() - began < 2_000);
  assert.deepEqual(idp.errors, []);
  assert.deepEqual(
    idp.lines.map(({ event }) => event),
    ['listening', 'stopping'],
  );
});
