/** How PostgreSQL is started, with a database for each service. */
import { join } from 'node:path';
import { databaseUrls, ensureDatabase } from '../../dev/postgres/database.ts';
import { startPostgres } from '../../dev/postgres/embedded-postgres.ts';
import { logFileOf, rotate } from './log-files.ts';
import type { PlannedProcess } from './processes.ts';
import type { RunningProcess } from './running-process.ts';
import type { ProcessSpec } from './supervised-process.ts';
import type { DatabaseUrls, FabricPlan } from './wiring.ts';

/** Services with a database, an owner role and an app role of their own. */
const DATABASES = ['product', 'order', 'payment'];

/** The server as the supervisor wants it; it counts as started when all databases stand. */
export function postgresProcess(
  { name, program, needs, ports }: PlannedProcess,
  plan: FabricPlan,
): ProcessSpec {
  const logFile = logFileOf(plan.endpoints.logs, name);
  const { postgres: port = 0 } = ports;
  const start = async (): Promise<RunningProcess> => {
    await rotate(logFile);
    const password = plan.secrets.postgres;
    const server = await startPostgres({ dataDir: join(plan.data, 'postgres'), port, logFile, password });
    try {
      for (const database of DATABASES) await ensureDatabase(server.adminUrl, database);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return { ...server, stop: () => void server.stop() };
  };
  return { name, service: program.service, needs, logFile, start, isReady: () => Promise.resolve(true) };
}

/** The databases that the server will hold, by service. */
export function plannedDatabases(port: number, password: string): Record<string, DatabaseUrls> {
  const adminUrl = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  const entries = DATABASES.map((name) => {
    const { appUrl, ownerUrl } = databaseUrls(adminUrl, name);
    return [name, { url: appUrl, ownerUrl }];
  });
  return Object.fromEntries(entries) as Record<string, DatabaseUrls>;
}
