/** Makes the certificates of a fabric's processes, and a developer's. */
import { join } from 'node:path';
import { openAuthority } from '#fabric/identity/pki.ts';
import type { IssuedFiles } from '#fabric/identity/pki.ts';

/** The identity under which the launcher itself, and the lines that it prints, call services. */
export const DEVELOPER = 'dev/local';

/** A fabric on one machine may run for long; it gets new certificates with each start. */
const DAYS = 365;

/** All certificate files of a fabric. */
export type Certificates = { ca: string; developer: IssuedFiles; services: Record<string, IssuedFiles> };

/** Issues new certificates below `data`, by the authority that is kept there. */
export async function issueCertificates(data: string, services: readonly string[]): Promise<Certificates> {
  const dir = join(data, 'pki');
  const authority = await openAuthority(dir);
  const developer = await authority.issue(DEVELOPER, { dir, days: DAYS });
  const issued: Record<string, IssuedFiles> = {};
  for (const service of services) {
    issued[service] = await authority.issue(`svc/${service}`, { dir, days: DAYS });
  }
  return { ca: authority.caFile, developer, services: issued };
}
