/** Where the services' databases are, and with which roles. */
import type { Secrets } from './secrets.ts';

/** The URLs of a service's database: with the app role, and with the owner role. */
export type DatabaseUrls = { url: string; ownerUrl: string };

/** Services with a database, an owner role and an app role of their own: NAME, NAME_owner, NAME_app. */
export const DATABASES = ['product', 'order', 'payment'] as const;

/** The URLs by service, in the cluster that listens on a port of this machine. */
export function databaseUrls(
  port: number,
  { owner, app }: Secrets['database'],
): Record<string, DatabaseUrls> {
  const urlOf = (service: string, role: string, password: string): string =>
    `postgresql://${service}_${role}:${password}@127.0.0.1:${port}/${service}`;
  const entries = DATABASES.map((service) => [
    service,
    { url: urlOf(service, 'app', app), ownerUrl: urlOf(service, 'owner', owner) },
  ]);
  return Object.fromEntries(entries) as Record<string, DatabaseUrls>;
}
