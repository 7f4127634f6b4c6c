/** Gets everything ready that processes need before the first one starts: ports, files, secrets, certificates. */
import { join } from 'node:path';
import { issueCertificates } from './certificates.ts';
import type { Certificates } from './certificates.ts';
import { openConfigRepository } from './config-repository.ts';
import { endpointsOf, runningElsewhere } from './endpoints.ts';
import { openLogs } from './log-files.ts';
import { demandPorts, freePorts } from './ports.ts';
import { plannedDatabases } from './postgres-process.ts';
import { freePortsNeeded, planProcesses } from './processes.ts';
import type { PlannedProcess, Selection } from './processes.ts';
import { openSecrets } from './secrets.ts';
import type { FabricPlan, SettingTexts } from './wiring.ts';

/** What the command line asks for. */
export type FabricRequest = Omit<Selection, 'elsewhere'> & { data: string; given: SettingTexts };

/** A fabric that could start now. */
export type Blueprint = { processes: PlannedProcess[]; plan: FabricPlan; certificates: Certificates };

/** Lays a fabric out below a data folder that is locked. */
export async function drawBlueprint(request: FabricRequest): Promise<Blueprint> {
  const { data, given } = request;
  const selection = { ...request, elsewhere: runningElsewhere(given) };
  const free = await freePorts(freePortsNeeded(selection));
  const processes = planProcesses(selection, () => free.pop() ?? 0);
  await demandPorts(
    processes.flatMap(({ name, ports }) => Object.values(ports).map((port) => ({ port, name }))),
  );
  const services = processes
    .filter(({ program }) => program.standIn !== true)
    .map(({ program }) => program.service);
  const [secrets, certificates, configRepo, logs] = await Promise.all([
    openSecrets(data),
    issueCertificates(data, [...new Set(services)]),
    openConfigRepository(data),
    openLogs(data),
  ]);
  const port = processes.find(({ name }) => name === 'postgres')?.ports['postgres'];
  const databases = port === undefined ? {} : plannedDatabases(port, secrets.postgres);
  const owners = Object.entries(databases).map(([name, { ownerUrl }]) => [name, ownerUrl]);
  const endpoints = endpointsOf(processes, given, {
    ca: join(data, 'pki/ca.pem'),
    configRepo,
    databases: Object.fromEntries(owners) as Record<string, string>,
    logs,
  });
  const plan = { data, endpoints, secrets, given, databases, certificates: certificates.services };
  return { processes, plan, certificates };
}
