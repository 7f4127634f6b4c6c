/** The places that give settings: the environment, and the central configuration. */
import type { PropertySource } from '#gen/mercer/config/v1/config.ts';
import { isSettingKey, reads, SETTING_KEYS, settingOf, variableOf } from './keys.ts';
import type { SettingKey } from './keys.ts';
import { SettingsError } from './settings-error.ts';

/** A value as text, and the place that gave it, fit for a sentence. */
export type Given = { text: string; from: string };

/** What one place gives. */
export type Layer = ReadonlyMap<SettingKey, Given>;

/** What a layer needs of a configuration: its files, most specific first, and each key's effective value. */
export type CentralValues = { sources: readonly PropertySource[]; values: Readonly<Record<string, string>> };

/**
 * What the environment gives. Variables of other services' settings count as known, MERCER_TEST_* belongs to
 * the tests, any other unknown MERCER_* is refused with SettingsError.
 */
export function environmentLayer(env: NodeJS.ProcessEnv): Layer {
  const keys = new Map(SETTING_KEYS.map((key) => [variableOf(key), key]));
  const layer = new Map<SettingKey, Given>();
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !/^MERCER_(?!TEST_)/.test(variable)) continue;
    const key = keys.get(variable);
    if (key === undefined)
      throw new SettingsError(
        variable,
        `${variable} in the environment is no setting: docs/settings.md lists them`,
      );
    layer.set(key, { text, from: variable });
  }
  return layer;
}

/**
 * What the central configuration gives a service. A key that the service does not read is left out when
 * application*.yml holds it, and refused with SettingsError when a file of the service's own does.
 */
export function centralLayer(service: string, { sources, values }: CentralValues): Layer {
  const layer = new Map<SettingKey, Given>();
  for (const [name, text] of Object.entries(values).sort(byNameAndIndex)) {
    const from = sources.find(({ properties }) => Object.hasOwn(properties, name))?.name ?? 'config server';
    const key = settingNamed(service, name);
    if (key !== undefined) layer.set(key, { text: joined(layer.get(key), text), from });
    else if (!isShared(from)) throw new SettingsError(name, refusal(service, name, from));
  }
  return layer;
}

/** The setting that a property gives: its own name, or for a list also `key[0]`, `key[1]` and so on. */
function settingNamed(service: string, property: string): SettingKey | undefined {
  const key = property.replace(/\[\d+\]$/, '');
  if (!isSettingKey(key) || !reads(service, key)) return undefined;
  const { kind, environmentOnly } = settingOf(key);
  return environmentOnly === true || (key !== property && kind.unit !== 'list') ? undefined : key;
}

/** `key[2]` before `key[10]`: a protobuf map has no order. */
function byNameAndIndex([one]: [string, string], [other]: [string, string]): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

function joined(earlier: Given | undefined, text: string): string {
  return earlier === undefined ? text : `${earlier.text},${text}`;
}

function isShared(source: string): boolean {
  return /(^|\/)application(-[^/]*)?\.\w+$/.test(source);
}

function refusal(service: string, property: string, source: string): string {
  if (isSettingKey(property) && settingOf(property).environmentOnly === true)
    return `${property} in ${source} has no effect there: give it as ${variableOf(property)}`;
  return `${property} in ${source} is no setting of ${service}: docs/settings.md lists them`;
}
