/** Gives each process the settings it reads, as environment variables. */
import { isSettingKey, reads, settingOf, variableOf } from '#fabric/settings/keys.ts';
import type { SettingKey } from '#fabric/settings/keys.ts';
import { environmentLayer } from '#fabric/settings/layers.ts';
import { CommandError } from '../command-error.ts';
import { CONFIG, USAGE } from '../exit-codes.ts';
import type { Endpoints } from './endpoints.ts';
import type { PlannedProcess } from './processes.ts';
import type { Secrets } from './secrets.ts';

/** Settings by key, as text. */
export type SettingTexts = Partial<Record<SettingKey, string>>;

/** A service's database: with its app role, and with its owner role. */
export type DatabaseUrls = { url: string; ownerUrl: string };

/** All that the processes of one fabric share. */
export type FabricPlan = {
  data: string;
  endpoints: Endpoints;
  secrets: Secrets;
  /** What the user gave, by `--set` or in the environment. */
  given: SettingTexts;
  /** Database URLs by service. */
  databases: Readonly<Record<string, DatabaseUrls>>;
  /** Certificate files by service. */
  certificates: Readonly<Record<string, { cert: string; key: string; ca: string }>>;
};

/** What a process may inherit from the launcher's own environment. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_COMPILE_CACHE'];
/** The config server runs git, which may need these to reach its repository. */
const FOR_GIT = ['SSH_AUTH_SOCK', 'GIT_SSH_COMMAND', 'https_proxy', 'HTTPS_PROXY'];

/**
 * What the user gives: `--set KEY=VALUE` over MERCER_* variables. A key that is no setting, or a value that
 * cannot be, throws a CommandError that says so.
 */
export function givenSettings(assignments: readonly string[], env: NodeJS.ProcessEnv): SettingTexts {
  const given: SettingTexts = fromEnvironment(env);
  for (const assignment of assignments) {
    const [key = '', ...rest] = assignment.split('=');
    const text = rest.join('=');
    if (rest.length === 0) throw refused(`${assignment} is not of the form KEY=VALUE`);
    if (!isSettingKey(key)) throw refused(`${key} is no setting; docs/settings.md lists them`);
    const { kind } = settingOf(key);
    if (kind.parse(text) === undefined) throw refused(`${key} must be ${kind.allowed}, not "${text}"`);
    given[key] = text;
  }
  return given;
}

function fromEnvironment(env: NodeJS.ProcessEnv): SettingTexts {
  try {
    return Object.fromEntries([...environmentLayer(env)].map(([key, { text }]) => [key, text]));
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), { exitCode: CONFIG });
  }
}

function refused(why: string): CommandError {
  return new CommandError(`--set: ${why}`, { exitCode: USAGE });
}

/** The whole environment of a process. */
export function environmentOf(process_: PlannedProcess, plan: FabricPlan): Record<string, string> {
  const { service, standIn } = process_.program;
  const names = service === 'config' ? [...INHERITED, ...FOR_GIT] : INHERITED;
  const own = standIn === true ? standInVariables(process_, plan) : settingVariables(process_, plan);
  return { ...inherited(names), ...own };
}

/** The user's word counts more than what all share, and less than what is the process's own. */
function settingVariables(process_: PlannedProcess, plan: FabricPlan): Record<string, string> {
  const { service } = process_.program;
  const texts = { ...sharedSettings(plan), ...plan.given, ...ownSettings(process_, plan) };
  const variables: Record<string, string> = {};
  for (const [key, text] of Object.entries(texts)) {
    if (isSettingKey(key) && reads(service, key)) variables[variableOf(key)] = text;
  }
  return variables;
}

function sharedSettings({ endpoints, secrets }: FabricPlan): SettingTexts {
  return {
    'zipkin.url': endpoints.zipkin ?? '',
    'config.address': endpoints.configGrpc ?? '',
    'config.repository': endpoints.configRepo,
    'page-token.secret': secrets.pageToken,
    'acquirer.event-secret': secrets.acquirerEvents,
    ...(endpoints.registry === undefined ? {} : { 'registry.address': endpoints.registry }),
    ...(endpoints.xds === undefined ? {} : { 'registry.xds': endpoints.xds }),
    // Needed to start, not to run: another fabric's identity provider may come later.
    'oidc.issuer': endpoints.idp ?? 'http://127.0.0.1:9000',
    ...(endpoints.acquirer === undefined ? {} : { 'acquirer.url': endpoints.acquirer }),
  };
}

function ownSettings({ name, program, ports }: PlannedProcess, plan: FabricPlan): SettingTexts {
  const { service } = program;
  const files = plan.certificates[service];
  const database = plan.databases[service];
  return {
    'instance.id': name,
    'data.dir': `${plan.data}/processes/${name}`,
    'http.port': String(ports['http']),
    ...(files === undefined ? {} : { 'pki.cert': files.cert, 'pki.key': files.key, 'pki.ca': files.ca }),
    ...(database === undefined
      ? {}
      : { 'database.url': database.url, 'database.owner-url': database.ownerUrl }),
    ...portSettings(ports),
  };
}

function portSettings(ports: Readonly<Record<string, number>>): SettingTexts {
  const keys = {
    grpc: 'grpc.port',
    xds: 'xds.port',
    config: 'config.http-port',
    gateway: 'gateway.port',
  } as const;
  const texts: SettingTexts = {};
  for (const [name, key] of Object.entries(keys)) {
    if (ports[name] !== undefined) texts[key] = String(ports[name]);
  }
  return texts;
}

/** Stand-ins read a handful of variables, and no settings. */
function standInVariables(
  { name, program, ports }: PlannedProcess,
  plan: FabricPlan,
): Record<string, string> {
  const { given, endpoints, secrets } = plan;
  const { service } = program;
  const texts = {
    MERCER_HTTP_PORT: String(ports['http']),
    MERCER_DATA_DIR: `${plan.data}/processes/${name}`,
    MERCER_LOG_LEVEL: given['log.level'],
    MERCER_ZIPKIN_URL: endpoints.zipkin,
    MERCER_OIDC_AUDIENCE: given['oidc.audience'],
    MERCER_DEV_SECRET: service === 'idp' ? secrets.developer : undefined,
    ...(service === 'acquirer' ? eventVariables(plan) : {}),
  };
  return withoutUndefined(Object.entries(texts));
}

/** The acquirer posts its events to the gateway, signed with what the payment service checks them by. */
function eventVariables({ given, endpoints, secrets }: FabricPlan): Record<string, string> {
  if (endpoints.gateway === undefined) return {};
  return {
    MERCER_ACQUIRER_EVENT_URL: `${endpoints.gateway}/v1/payments:acquirerEvent`,
    MERCER_ACQUIRER_EVENT_SECRET: given['acquirer.event-secret'] ?? secrets.acquirerEvents,
  };
}

function inherited(names: readonly string[]): Record<string, string> {
  return withoutUndefined(names.map((name) => [name, process.env[name]]));
}

function withoutUndefined(entries: [string, string | undefined][]): Record<string, string> {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<string, string>;
}
