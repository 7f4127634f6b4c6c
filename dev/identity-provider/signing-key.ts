/** The key that signs tokens; kept on disk, so that tokens outlive the process. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFile, SECRET } from '#fabric/data/atomic-file.ts';

/** An RSA key for RS256, and its name. */
export type SigningKey = { kid: string; privateKey: KeyObject };

const generate = promisify(generateKeyPair);

/** Reads `signing-key.pem` from a folder, where it is made when missing; readable by its owner alone. */
export async function openSigningKey(folder: string): Promise<SigningKey> {
  const file = join(folder, 'signing-key.pem');
  const pem = (await readFile(file, 'utf8').catch(() => undefined)) ?? (await make(file));
  const privateKey = createPrivateKey(pem);
  return { kid: thumbprint(createPublicKey(privateKey)), privateKey };
}

async function make(file: string): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength: 2_048 });
  await createFile(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), SECRET);
  return readFile(file, 'utf8');
}

/** RFC 7638: the required members in this order, without white space. */
function thumbprint(key: KeyObject): string {
  const { e, kty, n } = key.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
}
