/** The local certificate authority: workload certificates for one machine, as cert-manager issues them elsewhere. */
import 'reflect-metadata';
import { X509Certificate, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject, webcrypto } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { PUBLIC, SECRET, createFile, replaceFile } from '../data/atomic-file.ts';

/** Where a new certificate goes and how long it lasts: days, or hours for a visitor's; one day by default. */
export type IssueOptions = { dir: string; days?: number; hours?: number };

/** The PEM files of an identity. */
export type IssuedFiles = { cert: string; key: string; ca: string };

/** A certificate authority that stands. */
export type Authority = {
  caFile: string;
  /**
   * Makes a key and a certificate. `svc/NAME` may serve and call (URI spiffe://mercer/svc/NAME, DNS NAME and localhost,
   * IP 127.0.0.1); `dev/NAME` may only call. Rejects other names. Files of the same identity in the
   * directory are replaced.
   */
  issue: (identity: string, options: IssueOptions) => Promise<IssuedFiles>;
};

type Signer = { certificate: x509.X509Certificate; key: webcrypto.CryptoKey };

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const CA_NAME = 'CN=Mercer local CA';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CA_LIFE = 3_650 * DAY;
/** Certificates begin a little earlier, for clocks that differ. */
const BACKDATE = 5 * 60_000;
/** DNS labels, because `svc/NAME` is a host name too (RFC 1123, section 2.1). */
const IDENTITY = /^(svc|dev)\/([a-z0-9][a-z0-9-]{0,62})$/u;

/**
 * Opens the authority in a directory, making it at first use: ca.pem, and ca.key that only the owner can
 * read, in a directory that only the owner can enter. Several processes may open it at once.
 */
export async function openAuthority(dir: string): Promise<Authority> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const caFile = join(dir, 'ca.pem');
  const signer = await openSigner(caFile, join(dir, 'ca.key'));
  return { caFile, issue: (identity, options) => issue(signer, identity, { ...options, caFile }) };
}

/**
 * The key decides: whoever creates it first wins, and a certificate is made for the key that stands. So a
 * process that dies in between leaves nothing that the next one cannot finish.
 */
async function openSigner(caFile: string, keyFile: string): Promise<Signer> {
  if (!(await exists(keyFile))) await createFile(keyFile, toPem(generateKey()), SECRET);
  const key = createPrivateKey(await readFile(keyFile));
  if (!(await exists(caFile))) await createFile(caFile, await selfSign(pairOf(key)), PUBLIC);
  const pem = await readFile(caFile, 'utf8');
  if (!new X509Certificate(pem).checkPrivateKey(key))
    throw new Error(`${caFile} was not made with ${keyFile}: remove both to begin anew`);
  return { certificate: new x509.X509Certificate(pem), key: pairOf(key).privateKey };
}

async function selfSign(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: CA_NAME,
    keys,
    ...validity(CA_LIFE),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

async function issue(
  signer: Signer,
  identity: string,
  { dir, days, hours, caFile }: IssueOptions & { caFile: string },
): Promise<IssuedFiles> {
  const match = IDENTITY.exec(identity);
  if (match === null)
    throw new Error(`"${identity}" is no identity: write svc/NAME or dev/NAME, NAME of a-z, 0-9 and -`);
  const [, kind = '', name = ''] = match;
  const key = generateKey();
  const life = days === undefined && hours === undefined ? DAY : (days ?? 0) * DAY + (hours ?? 0) * HOUR;
  const certificate = await sign(signer, pairOf(key), { identity, kind, name, life });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const base = join(dir, `${kind}-${name}`);
  const files = { cert: `${base}.pem`, key: `${base}.key`, ca: caFile };
  await replaceFile(files.key, toPem(key), SECRET);
  await replaceFile(files.cert, certificate, PUBLIC);
  return files;
}

type Subject = { identity: string; kind: string; name: string; life: number };

async function sign(signer: Signer, keys: webcrypto.CryptoKeyPair, subject: Subject): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${subject.name}`,
    issuer: signer.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: signer.key,
    ...validity(subject.life),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usagesOf(subject)),
      new x509.SubjectAlternativeNameExtension(namesOf(subject)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.certificate.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

function usagesOf({ kind }: Subject): string[] {
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  return kind === 'svc' ? [serverAuth, clientAuth] : [clientAuth];
}

function namesOf({ kind, name, identity }: Subject): x509.JsonGeneralNames {
  const uri = { type: x509.URL, value: `spiffe://mercer/${identity}` } as const;
  if (kind === 'dev') return [uri];
  return [
    uri,
    { type: x509.DNS, value: name },
    { type: x509.DNS, value: 'localhost' },
    { type: x509.IP, value: '127.0.0.1' },
  ];
}

function validity(life: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATE), notAfter: new Date(now + life) };
}

function generateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: ALGORITHM.namedCurve }).privateKey;
}

function toPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

/** The pair of a private key, as WebCrypto wants it. */
function pairOf(key: KeyObject): webcrypto.CryptoKeyPair {
  return {
    privateKey: key.toCryptoKey(ALGORITHM, false, ['sign']),
    publicKey: createPublicKey(key).toCryptoKey(ALGORITHM, true, ['verify']),
  };
}

async function exists(file: string): Promise<boolean> {
  try {
    await readFile(file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
