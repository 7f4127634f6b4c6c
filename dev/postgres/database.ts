/** Gives a service a database of its own, with an owner role for migrations and an app role for serving. */
import { createHmac } from 'node:crypto';
import pg from 'pg';

/** The same database under its two roles. */
export type DatabaseUrls = { ownerUrl: string; appUrl: string };

/** Passwords of the two roles. */
export type RolePasswords = { owner: string; app: string };

const LONGEST_CONNECT = 5_000;
const LONGEST_STATEMENT = 30_000;

/**
 * Makes the roles NAME_owner and NAME_app and the database NAME where they are missing, and sets passwords and rights
 * anew: nobody else may connect; the app role may read, insert and update what the owner makes, and delete, truncate
 * or alter nothing unless a migration grants it. `name` is a plain lower-case word.
 */
export async function ensureDatabase(
  adminUrl: string,
  name: string,
  passwords: RolePasswords = rolePasswords(adminUrl, name),
): Promise<DatabaseUrls> {
  const { owner, app, database } = identifiers(name);
  await withClient(adminUrl, async (client) => {
    await ensureRole(client, `${name}_owner`, passwords.owner);
    await ensureRole(client, `${name}_app`, passwords.app);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${database} owner ${owner}`);
    await client.query(`revoke all on database ${database} from public`);
    await client.query(`grant connect on database ${database} to ${app}`);
  });
  await withClient(inDatabase(adminUrl, name), async (client) => {
    const defaults = `alter default privileges for role ${owner} in schema public grant`;
    await client.query('revoke all on schema public from public');
    await client.query(`grant usage on schema public to ${app}`);
    await client.query(`${defaults} select, insert, update on tables to ${app}`);
    await client.query(`${defaults} usage on sequences to ${app}`);
  });
  return databaseUrls(adminUrl, name, passwords);
}

/** The URLs that `ensureDatabase` answers; nothing is dialled. */
export function databaseUrls(
  adminUrl: string,
  name: string,
  passwords: RolePasswords = rolePasswords(adminUrl, name),
): DatabaseUrls {
  return {
    ownerUrl: inDatabase(adminUrl, name, { role: `${name}_owner`, password: passwords.owner }),
    appUrl: inDatabase(adminUrl, name, { role: `${name}_app`, password: passwords.app }),
  };
}

/** Derived from the superuser's password, which they do not tell: the same after each start, kept nowhere. */
function rolePasswords(adminUrl: string, name: string): RolePasswords {
  const secret = new URL(adminUrl).password;
  const derive = (role: string): string => createHmac('sha256', secret).update(role).digest('base64url');
  return { owner: derive(`${name}_owner`), app: derive(`${name}_app`) };
}

function inDatabase(adminUrl: string, name: string, login?: { role: string; password: string }): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  if (login !== undefined) Object.assign(url, { username: login.role, password: login.password });
  return url.href;
}

function identifiers(name: string): { owner: string; app: string; database: string } {
  if (!/^[a-z][a-z0-9_]{0,40}$/u.test(name)) throw new Error(`"${name}" is no name for a database`);
  const quoted = pg.escapeIdentifier;
  return { owner: quoted(`${name}_owner`), app: quoted(`${name}_app`), database: quoted(name) };
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  const verb = rowCount === 0 ? 'create' : 'alter';
  await client.query(
    `${verb} role ${pg.escapeIdentifier(role)} login password ${pg.escapeLiteral(password)}`,
  );
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: LONGEST_CONNECT,
    query_timeout: LONGEST_STATEMENT,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
