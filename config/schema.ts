/** Checks an environment against the settings of the service that will read it. */
import { SERVICES } from '#fabric/settings/keys.ts';
import { checkCentral, SettingsError } from '#fabric/settings/settings.ts';
import { faultAt, textsOf } from './domain.ts';
import type { Environment } from './domain.ts';
import type { Fault } from './yaml-file.ts';

/** Why a service of Mercer could not start with an environment; any other application takes any key. */
export function settingsFault(application: string, { files, values }: Environment): Fault | undefined {
  if (!SERVICES.some((service) => service === application)) return undefined;
  const sources = files.map((file) => ({ name: file.name, properties: textsOf(file) }));
  try {
    checkCentral(application, { sources, values: Object.fromEntries(values) });
    return undefined;
  } catch (error) {
    if (error instanceof SettingsError) return faultAt(files, error.key, error.message);
    throw error;
  }
}
