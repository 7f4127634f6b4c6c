/** An identity provider for tests: real HTTP, real keys, any token, and every way to misbehave. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject, webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

/** How an endpoint answers. */
export type Mode = 'ok' | 'error' | 'stalled' | 'dripping' | 'cut' | 'big' | 'html' | 'redirect' | 'empty';

/** A key as a set holds it (RFC 7517). */
export type Jwk = webcrypto.JsonWebKey & { kid?: string };

/** A key pair under a name. */
export type SigningKey = {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: webcrypto.JsonWebKey;
};

/** A new RSA key. */
export function signingKey(kid: string, modulusLength = 2_048, publicExponent = 65_537): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
  return { kid, privateKey, publicKey, jwk };
}

/** Any JSON text as claims, signed as the header says it is, or not at all. */
export function rawToken(header: object, claims: string, key: KeyObject | string): string {
  const input = `${part(JSON.stringify(header))}.${part(claims)}`;
  if (typeof key === 'string')
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

/** Base64url of a text. */
export function part(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** A provider on a free port of this machine. */
export type Issuer = AsyncDisposable & {
  url: string;
  /** What the key set holds now. */
  keys: Jwk[];
  /** What the discovery document says now, besides the usual. */
  document: Record<string, unknown>;
  discovery: Mode;
  jwks: Mode;
  /** Sent with key sets. */
  cacheControl: string | undefined;
  /** Requests for the key set so far. */
  hits: number;
};

/** Starts with the given keys, all endpoints in order. */
export async function startIssuer(keys: SigningKey[]): Promise<Issuer> {
  const server = createServer((request, response) => {
    if (request.url === '/.well-known/openid-configuration') {
      const usual = { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` };
      answer(response, issuer.discovery, { ...usual, ...issuer.document });
    } else if (request.url === '/keys') {
      issuer.hits += 1;
      if (issuer.cacheControl !== undefined) response.setHeader('cache-control', issuer.cacheControl);
      answer(response, issuer.jwks, { keys: issuer.keys });
    } else if (request.url === '/elsewhere') {
      answer(response, 'ok', { keys: issuer.keys });
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const issuer: Issuer = {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    keys: keys.map(({ jwk }) => jwk),
    document: {},
    discovery: 'ok',
    jwks: 'ok',
    cacheControl: undefined,
    hits: 0,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return issuer;
}

function answer(response: ServerResponse, mode: Mode, body: object): void {
  const text = JSON.stringify(body);
  switch (mode) {
    case 'ok':
      response.end(text);
      break;
    case 'error':
      response.writeHead(500).end(text);
      break;
    case 'stalled':
      response.writeHead(200, { 'content-length': text.length }).write(text.slice(0, 2));
      break;
    case 'dripping':
      drip(response);
      break;
    case 'cut':
      response.writeHead(200, { 'content-length': text.length }).write(text.slice(0, 2));
      setTimeout(() => response.destroy(), 20);
      break;
    case 'big':
      response.end(JSON.stringify({ ...body, padding: 'x'.repeat(70_000) }));
      break;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>');
      break;
    case 'redirect':
      response.writeHead(302, { location: '/elsewhere' }).end();
      break;
    case 'empty':
      response.end('{"keys":[]}');
  }
}

function drip(response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write(' '), 100);
  response.on('close', () => clearInterval(timer));
}
