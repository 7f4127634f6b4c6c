/** A process's settings: environment over central configuration over defaults, checked, in one frozen object. */
import { readWorkloadCredentials } from '../identity/workload.ts';
import { keepCopy, readCentralConfig } from './config-source.ts';
import type { ConfigSourceOptions, ConfigState } from './config-source.ts';
import { defaultOf, reads, SETTING_KEYS, settingOf, variableOf } from './keys.ts';
import type { SettingKey, SettingValues } from './keys.ts';
import { centralLayer, environmentLayer } from './layers.ts';
import type { CentralValues, Given, Layer } from './layers.ts';
import { SettingsError } from './settings-error.ts';

export { SettingsError } from './settings-error.ts';

/** Settings by key, such as `settings['registry.ttl']` in ms, and where the central ones came from. */
export type Settings = SettingValues & SettingsOrigin;

/** What is known of the central values among the settings. */
export type SettingsOrigin = {
  /** Whether they came from the config server, from its last-known-good copy, or from neither. */
  readonly source: ConfigState;
  /** Their commit; empty without any. */
  readonly version: string;
  /** Why they are not live, or not kept for later, in a sentence; empty when they are, or when none are asked for. */
  readonly problem: string;
};

/**
 * Loads the settings of a service. The environment's MERCER_* variables win over the config server's values,
 * these over the defaults. The config server is waited for 3 s at most; without it the last-known-good copy
 * in data.dir serves, and without that environment and defaults alone. Rejects with SettingsError when a
 * value is wrong, a required one is missing, or a variable or a key of NAME*.yml is unknown.
 */
export async function loadSettings(
  service: string,
  { env = process.env }: { env?: NodeJS.ProcessEnv } = {},
): Promise<Settings> {
  const environment = environmentLayer(env);
  const place = configServer(service, environment);
  if (place === undefined)
    return resolveSettings(service, [environment], { source: 'none', version: '', problem: '' });
  const { state, config, problem } = await readCentralConfig(place);
  checkCentral(service, config);
  const loss = state === 'live' ? await keepCopy(place, config) : '';
  const layers = [environment, centralLayer(service, config)];
  return resolveSettings(service, layers, {
    source: state,
    version: config.version,
    problem: problem || loss,
  });
}

/**
 * What layers give to a service, the first over the next, over the defaults. To read a setting that is not
 * for this service is a defect and throws. Throws SettingsError when a value is wrong or missing.
 */
export function resolveSettings(service: string, layers: readonly Layer[], origin: SettingsOrigin): Settings {
  const settings: object = { ...origin };
  for (const key of SETTING_KEYS) {
    const property = reads(service, key)
      ? { value: valueOf(service, key, layers), enumerable: true }
      : { get: () => notFor(service, key) };
    Object.defineProperty(settings, key, property);
  }
  return Object.freeze(settings) as Settings;
}

/** Checks the values that a configuration holds for a service, as its start would; throws SettingsError. */
export function checkCentral(service: string, config: CentralValues): void {
  const layer = centralLayer(service, config);
  for (const key of layer.keys()) valueOf(service, key, [layer]);
}

/** The config server as the environment names it; undefined when there is none to ask. */
function configServer(service: string, environment: Layer): ConfigSourceOptions | undefined {
  if (!reads(service, 'config.address')) return undefined;
  const settings = <K extends SettingKey>(key: K): SettingValues[K] => valueOf(service, key, [environment]);
  const address = settings('config.address');
  if (address === '') return undefined;
  return {
    address,
    application: service,
    profile: settings('profile'),
    directory: settings('data.dir'),
    credentials: readWorkloadCredentials({
      cert: settings('pki.cert'),
      key: settings('pki.key'),
      ca: settings('pki.ca'),
    }),
  };
}

function valueOf<K extends SettingKey>(service: string, key: K, layers: readonly Layer[]): SettingValues[K] {
  const fallback = defaultOf(key, service);
  const given =
    layers.map((layer) => layer.get(key)).find((each) => each !== undefined) ??
    (fallback === undefined ? undefined : { text: fallback, from: 'its default' });
  if (given === undefined) throw new SettingsError(key, missing(key));
  const value = settingOf(key).kind.parse(given.text);
  if (value === undefined) throw new SettingsError(key, wrong(key, given));
  return value as SettingValues[K];
}

function missing(key: SettingKey): string {
  return `${key} is not given: set ${variableOf(key)} to ${settingOf(key).kind.allowed}`;
}

function wrong(key: SettingKey, { text, from }: Given): string {
  const { kind, secret } = settingOf(key);
  const shown = secret === true ? '' : ` ${JSON.stringify(text.slice(0, 80))}`;
  return `${key}${shown} from ${from} is not ${kind.allowed}`;
}

function notFor(service: string, key: SettingKey): never {
  throw new Error(`${key} is no setting of ${service}`);
}
