/** Opens a service's database for serving, with its schema brought up to date first. */
import type { Settings } from '../settings/settings.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import type { MigrateOptions } from './migrate.ts';

/** Whose database, and what it holds. */
export type MigratedDatabaseOptions = Pick<MigrateOptions, 'entities' | 'migrations'> & {
  settings: Pick<Settings, 'database.url' | 'database.owner-url' | 'database.pool'>;
  log: Logger;
};

/** Migrates as the owner role, on a connection that is closed again, then opens with the app role. */
export async function openMigratedDatabase(options: MigratedDatabaseOptions): Promise<Database> {
  const { settings, entities, migrations, log } = options;
  await migrate({ ownerUrl: settings['database.owner-url'], entities, migrations });
  return openDatabase({ url: settings['database.url'], entities, pool: settings['database.pool'], log });
}
