/** The sample configuration can be used by every service. */
import { deepEqual, equal } from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { SERVICES } from '#fabric/settings/keys.ts';
import { environmentOf } from './domain.ts';
import { settingsFault } from './schema.ts';
import { parseYaml } from './yaml-file.ts';

const folder = new URL('../config-repo/', import.meta.url);
const names = await readdir(folder);
const files = new Map(
  await Promise.all(
    names.map(
      async (name) => [name, parseYaml(name, await readFile(new URL(name, folder), 'utf8'))] as const,
    ),
  ),
);

test('every service could start with the sample configuration', () => {
  for (const service of SERVICES) {
    const environment = environmentOf(files, service, ['default']);
    deepEqual(environment.faults, [], service);
    equal(settingsFault(service, environment), undefined, service);
  }
});

test('the sample holds a file for all and one for each service that reads it', () => {
  const readers = SERVICES.filter((service) => service !== 'config');
  deepEqual(names.sort(), ['application.yml', ...readers.map((service) => `${service}.yml`)].sort());
});
