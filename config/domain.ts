/** Which files make an application's configuration, and what they say together. */
import { resolvePlaceholders } from './placeholders.ts';
import type { ConfigFile, Fault } from './yaml-file.ts';

/** The files of one commit, by name. */
export type Files = ReadonlyMap<string, ConfigFile>;

/** What the files of one commit say to an application. */
export type Environment = {
  /** The files that contribute, most specific first. */
  files: readonly ConfigFile[];
  /** The effective value of each key, placeholders resolved. */
  values: ReadonlyMap<string, string>;
  /** Why it cannot be used; empty when it can. */
  faults: readonly Fault[];
};

/** Endings of configuration files; of files that differ in nothing else the first wins. */
const ENDINGS = ['.yml', '.yaml', '.json'] as const;

/** Whether a file of the repository's root can hold configuration. */
export function isConfigFile(name: string): boolean {
  return ENDINGS.some((ending) => name.endsWith(ending));
}

/**
 * Spring Cloud Config's precedence, most specific first: for each profile, the last one first,
 * `{application}-{profile}` and `application-{profile}`; then `{application}`; then `application`.
 */
export function fileNames(application: string, profiles: readonly string[]): string[] {
  const perProfile = profiles
    .toReversed()
    .flatMap((profile) => [`${application}-${profile}`, `application-${profile}`]);
  const stems = new Set([...perProfile, application, 'application']);
  return [...stems].flatMap((stem) => ENDINGS.map((ending) => stem + ending));
}

/** What a commit's files say to an application. */
export function environmentOf(all: Files, application: string, profiles: readonly string[]): Environment {
  const files = fileNames(application, profiles)
    .map((name) => all.get(name))
    .filter((file) => file !== undefined);
  const { values, faults } = resolvePlaceholders(rawValues(files));
  const unresolved = [...faults].map(([key, reason]) => faultAt(files, key, `${key}: ${reason}`));
  const unreadable = files.map(({ fault }) => fault).filter((fault) => fault !== undefined);
  return { files, values, faults: [...unreadable, ...unresolved] };
}

/** A file's properties as texts, placeholders as written. */
export function textsOf({ properties }: ConfigFile): Record<string, string> {
  return Object.fromEntries([...properties].map(([key, { text }]) => [key, text]));
}

/** A fault of a key, in the file whose value is in effect. */
export function faultAt(files: readonly ConfigFile[], key: string, reason: string): Fault {
  const file = files.find(({ properties }) => properties.has(key));
  return { file: file?.name ?? '', line: file?.properties.get(key)?.line ?? 0, reason };
}

/** The most specific value of each key. An array is replaced whole: no entry of a longer, less specific one stays. */
function rawValues(files: readonly ConfigFile[]): Map<string, string> {
  const values = new Map<string, string>();
  const decided = new Set<string>();
  for (const { properties } of files) {
    const own = [...properties].filter(([key]) => !decided.has(arrayOf(key)));
    for (const [key, { text }] of own) values.set(key, text);
    for (const [key] of own) decided.add(arrayOf(key));
  }
  return values;
}

/** The outermost array that a key belongs to, or the key itself: `servers` for `servers[0].host`. */
function arrayOf(key: string): string {
  const bracket = key.indexOf('[');
  return bracket === -1 ? key : key.slice(0, bracket);
}
