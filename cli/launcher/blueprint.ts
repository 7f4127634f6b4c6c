/** Gets everything ready that processes need before the first one starts: ports, files, secrets, certificates. */
import { issueCertificates } from './certificates.ts';
import type { Certificates } from './certificates.ts';
import { openConfigRepository } from './config-repository.ts';
import { endpointsOf, runningElsewhere } from './endpoints.ts';
import { openLogs } from './log-files.ts';
import { demandPorts, freePorts } from './ports.ts';
import type { WantedPort } from './ports.ts';
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
  const processes = await layOut({ ...request, elsewhere: runningElsewhere(given) });
  const [secrets, certificates, configRepo, logs] = await Promise.all([
    openSecrets(data),
    issueCertificates(data, servicesOf(processes)),
    openConfigRepository(data),
    openLogs(data),
  ]);
  const port = processes.find(({ name }) => name === 'postgres')?.ports['postgres'];
  const databases = port === undefined ? {} : plannedDatabases(port, secrets.postgres);
  const owners = Object.entries(databases).map(([name, { ownerUrl }]) => [name, ownerUrl]);
  const endpoints = endpointsOf(processes, given, {
    ca: certificates.ca,
    configRepo,
    databases: Object.fromEntries(owners) as Record<string, string>,
    logs,
  });
  const plan = { data, endpoints, secrets, given, databases, certificates: certificates.services };
  return { processes, plan, certificates };
}

/** The ports of processes, with the names of those who need them. */
export function wantedPorts(processes: readonly PlannedProcess[]): WantedPort[] {
  return processes.flatMap(({ name, ports }) => Object.values(ports).map((port) => ({ port, name })));
}

async function layOut(selection: Selection): Promise<PlannedProcess[]> {
  const free = await freePorts(freePortsNeeded(selection));
  const processes = planProcesses(selection, () => free.pop() ?? 0);
  await demandPorts(wantedPorts(processes));
  return processes;
}

/** Those that get a certificate. */
function servicesOf(processes: readonly PlannedProcess[]): string[] {
  const programs = processes.map(({ program }) => program).filter(({ standIn }) => standIn !== true);
  return [...new Set(programs.map(({ service }) => service))];
}
