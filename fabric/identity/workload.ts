/** Which process is at the other end of a connection, and which this one is: mutual TLS identities. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What a process proves its identity with; PEM. */
export type WorkloadCredentials = {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
  /** "svc/order" or "dev/alice". */
  identity: string;
};

/** The identity in a SPIFFE id of the trust domain "mercer" (SPIFFE-ID, section 2). */
const SPIFFE_ID = /^URI:spiffe:\/\/mercer\/((?:svc|dev)\/[a-z0-9][a-z0-9-]*)$/u;

/**
 * Reads the identity from a certificate's subject alternative names as node:tls prints them:
 * `URI:spiffe://mercer/svc/order, DNS:order` is "svc/order". Undefined when there is none, and when the names
 * are not what our CA writes: more than one URI (X509-SVID, section 2) or one that Node had to quote.
 */
export function peerIdentity(subjectaltname: string | undefined): string | undefined {
  if (subjectaltname === undefined || subjectaltname.includes('"')) return undefined;
  const uris = subjectaltname.split(', ').filter((name) => name.startsWith('URI:'));
  return uris.length === 1 ? SPIFFE_ID.exec(uris[0] ?? '')?.[1] : undefined;
}

/**
 * Reads certificate, key and CA. Fails with a sentence when a file cannot be read, the key belongs to another
 * certificate, or the certificate is over or carries no identity.
 */
export function readWorkloadCredentials(files: {
  cert: string;
  key: string;
  ca: string;
}): WorkloadCredentials {
  const cert = read(files.cert);
  const key = read(files.key);
  const certificate = parse(() => new X509Certificate(cert), `${files.cert} is no PEM certificate`);
  const privateKey = parse(() => createPrivateKey(key), `${files.key} is no PEM private key`);
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error(`the key ${files.key} does not belong to the certificate ${files.cert}`);
  if (certificate.validToDate.getTime() <= Date.now())
    throw new Error(`the certificate ${files.cert} ended at ${certificate.validToDate.toISOString()}`);
  const identity = peerIdentity(certificate.subjectAltName);
  if (identity === undefined)
    throw new Error(`the certificate ${files.cert} carries no identity spiffe://mercer/svc/NAME`);
  return { ca: read(files.ca), cert, key, identity };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`the file ${file === '' ? '(no name was given)' : file} cannot be read`, { cause });
  }
}

function parse<T>(work: () => T, complaint: string): T {
  try {
    return work();
  } catch (cause) {
    throw new Error(complaint, { cause });
  }
}
