/** The one table of settings: every key with its kind, default, readers and meaning. */
import {
  address,
  duration,
  failpoints,
  flag,
  integer,
  list,
  oneOf,
  port,
  rate,
  ratio,
  text,
  url,
} from './setting-kind.ts';
import type { SettingKind } from './setting-kind.ts';

/** One row of the table. */
export type Setting = {
  kind: SettingKind<unknown>;
  /** As text; NAME stands for the service; by service where they differ; absent when the key must be given. */
  default?: string | Readonly<Record<string, string>>;
  /** Which services read it; absent when all do. */
  services?: readonly string[];
  /** Whether a change can take effect without a restart. */
  live?: true;
  /** Whether the environment alone may hold it: needed before the config server can be asked, or one process's own. */
  environmentOnly?: true;
  /** Whether its value must not be shown. */
  secret?: true;
  meaning: string;
};

const SHOP = ['product', 'order', 'payment'] as const;
const GRPC_SERVERS = [...SHOP, 'registry', 'config'] as const;
/** The services that read settings. */
export const SERVICES = [...GRPC_SERVERS, 'gateway'] as const;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const bind = text({ allowed: 'an IP address or host name', pattern: /^[A-Za-z0-9.:_-]{1,253}$/ });
const file = text({ allowed: 'the path of a file', pattern: /^[^\r\n]{1,4096}$/ });
const name = text({
  allowed: 'a name of letters, digits, "." "_" "-"',
  pattern: /^[A-Za-z0-9][\w.-]{0,127}$/,
});
const filled = text({ allowed: 'a text of one line', pattern: /^[^\r\n]{1,4096}$/ });
const postgres = url({ schemes: ['postgresql', 'postgres'] });
const web = url({ schemes: ['http', 'https'] });

/** Every setting of every process. The key is also its name in the configuration repository. */
export const SETTINGS = {
  'log.level': {
    kind: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace'),
    default: 'info',
    live: true,
    meaning: 'The least severe log lines that are written.',
  },
  'zipkin.url': {
    kind: url({ schemes: ['http', 'https'], optional: true }),
    default: '',
    meaning: 'Base URL of the trace collector, such as `http://127.0.0.1:9411`; empty exports no spans.',
  },
  'trace.sample-rate': {
    kind: ratio(),
    default: '1',
    live: true,
    meaning: 'Share of new traces that are recorded.',
  },
  'instance.id': {
    kind: name,
    default: 'NAME-1',
    environmentOnly: true,
    meaning: 'Name of this process among the replicas of its service.',
  },
  profile: {
    kind: text({ allowed: 'names with commas between', pattern: /^[\w.-]{1,128}(,[\w.-]{1,128}){0,9}$/ }),
    default: 'default',
    environmentOnly: true,
    meaning: 'Profiles to read the central configuration with; the last one wins.',
  },
  zone: {
    kind: text({ allowed: 'the name of a zone, or empty', pattern: /^[\w.-]{0,128}$/ }),
    default: '',
    meaning: 'Where the process runs; registered with the instance.',
  },
  'grpc.bind': {
    kind: bind,
    default: '127.0.0.1',
    services: GRPC_SERVERS,
    meaning: 'Address that the gRPC server listens on.',
  },
  'grpc.port': {
    kind: port(),
    default: { product: '50051', order: '50052', payment: '50053', registry: '50050', config: '50054' },
    services: GRPC_SERVERS,
    meaning: 'Port of the gRPC server; 0 takes any free one.',
  },
  'http.bind': {
    kind: bind,
    default: '127.0.0.1',
    meaning: 'Address that /metrics, /livez and /readyz, and the HTTP port of the config server, listen on.',
  },
  'http.port': {
    kind: port(),
    default: '0',
    meaning: 'Port of /metrics, /livez and /readyz; 0 takes any free one.',
  },
  'advertise.address': {
    kind: bind,
    default: '127.0.0.1',
    meaning: 'IP address that is registered, for others to dial.',
  },
  'data.dir': {
    kind: file,
    default: '.mercer/data',
    environmentOnly: true,
    meaning: 'Folder for what outlives the process: last-known-good copies, snapshots, clones.',
  },
  'pki.cert': {
    kind: file,
    environmentOnly: true,
    meaning: "This process's certificate (PEM).",
  },
  'pki.key': {
    kind: file,
    environmentOnly: true,
    meaning: 'Private key of that certificate (PEM).',
  },
  'pki.ca': {
    kind: file,
    environmentOnly: true,
    meaning: 'Certificates of the authorities whose workloads are trusted (PEM).',
  },
  'oidc.issuer': {
    kind: web,
    meaning: 'Issuer of user tokens; its discovery document names the keys.',
  },
  'oidc.audience': {
    kind: filled,
    default: 'api://mercer',
    meaning: 'Audience that a user token must be made for.',
  },
  'oidc.roles-claim': {
    kind: filled,
    default: 'groups',
    meaning: "Claim of the token that holds the user's roles.",
  },
  'registry.address': {
    kind: address(),
    default: '127.0.0.1:50050',
    meaning: 'The registry.',
  },
  'registry.xds': {
    kind: address(),
    default: '127.0.0.1:50060',
    meaning: "The registry's xDS port.",
  },
  'registry.ttl': {
    kind: duration(2 * SECOND, 5 * MINUTE),
    default: '15s',
    meaning: 'How long a registration outlives its last heartbeat.',
  },
  'xds.bind': {
    kind: bind,
    default: '127.0.0.1',
    services: ['registry'],
    meaning: 'Address that the xDS port listens on.',
  },
  'xds.port': {
    kind: port(),
    default: '50060',
    services: ['registry'],
    meaning: 'Port of xDS (ADS).',
  },
  'etcd.endpoints': {
    kind: list(),
    default: '',
    services: ['registry'],
    meaning:
      'etcd members that hold the leases, so that several registries share them; empty keeps leases in memory.',
  },
  'config.address': {
    kind: address({ optional: true }),
    default: '127.0.0.1:50054',
    services: [...SHOP, 'registry', 'gateway'],
    environmentOnly: true,
    meaning: 'The config server; empty starts with environment and defaults alone.',
  },
  'config.http-port': {
    kind: port(),
    default: '8888',
    services: ['config'],
    meaning: 'Port of the Spring Cloud Config interface.',
  },
  'config.repository': {
    kind: text({
      allowed: 'a git URL (https://, ssh://, file://, user@host:path) or an absolute path',
      pattern: /^((https?|ssh|git|file):\/\/[^\s]+|[\w.-]+@[\w.-]+:[^\s]+|\/[^\r\n]+)$/,
    }),
    services: ['config'],
    secret: true,
    meaning: 'The configuration repository.',
  },
  'config.label': {
    kind: text({ allowed: 'a branch, tag or commit', pattern: /^[A-Za-z0-9][\w./-]{0,254}$/ }),
    default: 'main',
    services: ['config'],
    meaning: 'Branch, tag or commit that is served when none is asked for.',
  },
  'config.poll': {
    kind: duration(250, HOUR),
    default: '2s',
    services: ['config'],
    meaning: 'How often the repository is fetched.',
  },
  'database.url': {
    kind: postgres,
    services: SHOP,
    secret: true,
    meaning: "The service's database, as its app role.",
  },
  'database.owner-url': {
    kind: postgres,
    services: SHOP,
    secret: true,
    meaning: 'The same database as its owner role; used for migrations only.',
  },
  'database.pool': {
    kind: integer(1, 200),
    default: '10',
    services: SHOP,
    meaning: 'The most connections that are kept to the database.',
  },
  'page-token.secret': {
    kind: text({ allowed: 'a text of 16 to 512 characters', pattern: /^[^\r\n]{16,512}$/ }),
    services: SHOP,
    secret: true,
    meaning: 'Signs page tokens; the same for all replicas of a service.',
  },
  'reservation.ttl': {
    kind: duration(SECOND, 24 * HOUR),
    default: '2m',
    services: ['product'],
    live: true,
    meaning: 'How long reserved stock waits for its order.',
  },
  'acquirer.url': {
    kind: web,
    default: 'http://127.0.0.1:9100',
    services: ['payment'],
    meaning: 'Base URL of the acquirer.',
  },
  'acquirer.timeout': {
    kind: duration(100, MINUTE),
    default: '5s',
    services: ['payment'],
    live: true,
    meaning: "How long one request may wait for the acquirer's answer.",
  },
  'acquirer.event-secret': {
    kind: text({
      allowed: 'a text of 16 to 512 characters, or empty',
      pattern: /^(?:[\x20-\x7e]{16,512})?$/,
    }),
    default: '',
    services: ['payment'],
    secret: true,
    meaning: "Key of the signatures of the acquirer's events; empty takes no events.",
  },
  'gateway.bind': {
    kind: bind,
    default: '127.0.0.1',
    services: ['gateway'],
    meaning: 'Address that the public HTTP port listens on.',
  },
  'gateway.port': {
    kind: port(),
    default: '8080',
    services: ['gateway'],
    meaning: 'The public HTTP port.',
  },
  'cors.origins': {
    kind: list(),
    default: '',
    services: ['gateway'],
    meaning: 'Origins whose pages may call the API from a browser.',
  },
  'trusted-proxies': {
    kind: list(),
    default: '',
    services: ['gateway'],
    meaning: 'Addresses and CIDR ranges whose X-Forwarded-For is believed.',
  },
  'ratelimit.enabled': {
    kind: flag(),
    default: 'true',
    services: ['gateway'],
    live: true,
    meaning: 'Whether requests are limited by rate.',
  },
  'ratelimit.subject': {
    kind: rate(),
    default: '100/s',
    services: ['gateway'],
    live: true,
    meaning: 'The most requests of one user.',
  },
  'ratelimit.address': {
    kind: rate(),
    default: '200/s',
    services: ['gateway'],
    live: true,
    meaning: 'The most requests of one client address.',
  },
  chaos: {
    kind: oneOf('0', '1'),
    default: '0',
    environmentOnly: true,
    meaning: 'Whether the process may be made to fail on purpose; never in production.',
  },
  failpoint: {
    kind: failpoints(),
    default: '',
    environmentOnly: true,
    meaning: 'Lines at which the process ends, hangs or throws, for tests; refused without `chaos`.',
  },
} as const satisfies Record<string, Setting>;

/** The name of a setting, such as `registry.ttl`. */
export type SettingKey = keyof typeof SETTINGS;

/** The value of each setting: durations are numbers of milliseconds, lists are arrays. */
export type SettingValues = {
  readonly [K in SettingKey]: (typeof SETTINGS)[K]['kind'] extends SettingKind<infer T> ? T : never;
};

/** Every key, in the order of the table. */
export const SETTING_KEYS = Object.keys(SETTINGS).filter(isSettingKey);

/** Whether a text is the name of a setting. */
export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(SETTINGS, key);
}

/** The row of a key. */
export function settingOf(key: SettingKey): Setting {
  return SETTINGS[key];
}

/** The services that read a setting. */
export function readersOf(key: SettingKey): readonly string[] {
  return settingOf(key).services ?? SERVICES;
}

/** Whether a service reads a setting. */
export function reads(service: string, key: SettingKey): boolean {
  return readersOf(key).includes(service);
}

/** The default of a setting as text; undefined when the key must be given. */
export function defaultOf(key: SettingKey, service: string): string | undefined {
  const fallback = settingOf(key).default;
  return typeof fallback === 'object' ? fallback[service] : fallback?.replace('NAME', service);
}

/** The environment variable of a setting: `trace.sample-rate` is MERCER_TRACE_SAMPLE_RATE. */
export function variableOf(key: string): string {
  return `MERCER_${key.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}
