/** Where everything of a fabric is to be found: the ready-file, but for its tokens. */
import type { PlannedProcess } from './processes.ts';
import type { SettingTexts } from './wiring.ts';

/** Addresses are host:port, URLs have a scheme, files and folders are absolute; absent is what does not run. */
export type Endpoints = {
  gateway?: string;
  registry?: string;
  xds?: string;
  idp?: string;
  config?: string;
  configGrpc?: string;
  zipkin?: string;
  acquirer?: string;
  product: string[];
  order: string[];
  payment: string[];
  ca: string;
  configRepo: string;
  /** URLs with the owner roles. */
  databases: Record<string, string>;
  logs: string;
};

/** Files and URLs that do not follow from the processes. */
type Places = Pick<Endpoints, 'ca' | 'configRepo' | 'databases' | 'logs'>;

/** The endpoints of planned processes, and of what the user's settings say runs elsewhere. */
export function endpointsOf(
  processes: readonly PlannedProcess[],
  given: SettingTexts,
  places: Places,
): Endpoints {
  const ports = (service: string, name: string): number[] =>
    processes.filter(({ program }) => program.service === service).flatMap((each) => each.ports[name] ?? []);
  const addresses = (service: string, name = 'grpc'): string[] =>
    ports(service, name).map((port) => `127.0.0.1:${port}`);
  const url = (service: string, name = 'http'): string | undefined => {
    const [address] = addresses(service, name);
    return address === undefined ? undefined : `http://${address}`;
  };
  return {
    ...withoutAbsent({
      gateway: url('gateway', 'gateway'),
      registry: addresses('registry')[0],
      xds: addresses('registry', 'xds')[0],
      idp: given['oidc.issuer'] ?? url('idp'),
      config: url('config', 'config'),
      configGrpc: addresses('config')[0],
      zipkin: (given['zipkin.url'] ?? url('collector')) || undefined,
      acquirer: given['acquirer.url'] ?? url('acquirer'),
    }),
    product: addresses('product'),
    order: addresses('order'),
    payment: addresses('payment'),
    ...places,
  };
}

/** Services of which the user's settings name another one, running elsewhere. */
export function runningElsewhere(given: SettingTexts): string[] {
  const replaced = { idp: 'oidc.issuer', collector: 'zipkin.url', acquirer: 'acquirer.url' } as const;
  return Object.entries(replaced).flatMap(([service, key]) => (given[key] === undefined ? [] : service));
}

function withoutAbsent<T extends Record<string, string | undefined>>(
  entries: T,
): { [K in keyof T]?: string } {
  const present = Object.entries(entries).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: string };
}
