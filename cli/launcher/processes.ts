/** The picture of a whole fabric: what runs, where it listens and what must be ready before it. */

/** One row of the picture. */
export type Program = {
  service: string;
  /** Below the root of the repository; PostgreSQL, which is no program of ours, has none. */
  main?: string;
  /** Before --offset; the first one is what `--replicas` finds a free port for. */
  ports: Readonly<Record<string, number>>;
  needs: readonly string[];
  /** A stand-in for what production brings: it reads no settings and serves /readyz on its own port. */
  standIn?: true;
  /** Several of it may run, found by the others through the registry. */
  replicable?: true;
};

/** In the order in which a newcomer would explain it. */
export const PROGRAMS: readonly Program[] = [
  { service: 'postgres', ports: { postgres: 54_320 }, needs: [], standIn: true },
  { service: 'idp', main: 'dev/identity-provider/main.ts', ports: { http: 9000 }, needs: [], standIn: true },
  { service: 'acquirer', main: 'dev/acquirer/main.ts', ports: { http: 9100 }, needs: [], standIn: true },
  { service: 'collector', main: 'dev/collector/main.ts', ports: { http: 9411 }, needs: [], standIn: true },
  { service: 'config', main: 'config/main.ts', ports: { grpc: 50_054, config: 8888 }, needs: [] },
  { service: 'registry', main: 'registry/main.ts', ports: { grpc: 50_050, xds: 50_060 }, needs: ['config'] },
  {
    service: 'product',
    main: 'services/product/main.ts',
    ports: { grpc: 50_051 },
    needs: ['postgres', 'config'],
    replicable: true,
  },
  {
    service: 'payment',
    main: 'services/payment/main.ts',
    ports: { grpc: 50_053 },
    needs: ['postgres', 'config'],
    replicable: true,
  },
  {
    service: 'order',
    main: 'services/order/main.ts',
    ports: { grpc: 50_052 },
    needs: ['postgres', 'config', 'registry'],
    replicable: true,
  },
  {
    service: 'gateway',
    main: 'gateway/main.ts',
    ports: { gateway: 8080 },
    needs: ['config', 'registry'],
  },
];

/** The names of all services. */
export const SERVICE_NAMES = PROGRAMS.map(({ service }) => service);

/**
 * Who stops with whom, and when those still there are killed; all within 10 s. Most of it is the gateway's, which
 * lets a purchase under way end, while all that the purchase needs is there; the others then have little left to do.
 */
export const STOP_STAGES = [
  { services: ['gateway'], by: 6_000 },
  { services: ['order'], by: 7_200 },
  { services: ['payment'], by: 7_800 },
  { services: ['product'], by: 8_300 },
  { services: ['config'], by: 8_600 },
  { services: ['registry'], by: 8_900 },
  { services: ['idp', 'acquirer', 'collector'], by: 9_200 },
  { services: ['postgres'], by: 9_800 },
];

/** A process to start. */
export type PlannedProcess = {
  /** "order-1"; a stand-in goes by its service's name. */
  name: string;
  program: Program;
  needs: readonly string[];
  ports: Record<string, number>;
};

/** What the command line asks for. */
export type Selection = {
  offset: number;
  /** By service; one where nothing is said. */
  replicas: Readonly<Record<string, number>>;
  /** Only these and what they need; empty means all. */
  only: readonly string[];
  /** Services that run elsewhere. */
  elsewhere: readonly string[];
};

/** Lays out the processes of a fabric; `takePort` gives a free port each time it is called. */
export function planProcesses(selection: Selection, takePort: () => number): PlannedProcess[] {
  const services = chosen(selection);
  const programs = PROGRAMS.filter(({ service }) => services.has(service));
  return programs.flatMap((program) => {
    const count = selection.replicas[program.service] ?? 1;
    return Array.from({ length: count }, (_, index) => ({
      name: program.standIn === true ? program.service : `${program.service}-${index + 1}`,
      program,
      needs: program.needs.filter((service) => services.has(service)),
      ports: portsOf({ program, first: index === 0, offset: selection.offset }, takePort),
    }));
  });
}

/** The most free ports that planning may ask for. */
export function freePortsNeeded({ replicas }: Selection): number {
  const further = Object.values(replicas).reduce((sum, count) => sum + count, 0);
  return PROGRAMS.length + 2 * further;
}

function chosen({ only, elsewhere }: Selection): Set<string> {
  const services = new Set<string>();
  const add = (service: string): void => {
    if (services.has(service) || elsewhere.includes(service)) return;
    services.add(service);
    PROGRAMS.find((program) => program.service === service)?.needs.forEach(add);
  };
  (only.length === 0 ? SERVICE_NAMES : only).forEach(add);
  return services;
}

function portsOf(
  { program, first, offset }: { program: Program; first: boolean; offset: number },
  takePort: () => number,
): Record<string, number> {
  const own = Object.entries(program.ports).map(([name, port]) => [name, first ? port + offset : takePort()]);
  const admin = program.standIn === true ? [] : [['http', takePort()]];
  return Object.fromEntries([...own, ...admin]) as Record<string, number>;
}
