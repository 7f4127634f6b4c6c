/** The words of Spring Cloud Config's HTTP interface: its paths, and its Environment as JSON. */
import { status } from '@grpc/grpc-js';
import { badRequest, StatusError } from '#fabric/rpc/status-error.ts';
import type { Configuration, ConfigurationName } from './configuration.ts';
import type { Property } from './yaml-file.ts';

/** The media type that Spring's client asks for: each value comes with its place of origin. */
export const WITH_ORIGIN = 'application/vnd.spring-cloud.config-server.v2+json';

/** How an environment is written. */
export type EnvironmentStyle = {
  /** URL of the repository, which files are named after. */
  repository: string;
  /** Whether values are `{value, origin}`, as WITH_ORIGIN has them. */
  origins: boolean;
};

const APPLICATION = /^[A-Za-z0-9][\w.-]{0,127}$/;
const PROFILE = /^[\w.-]{1,128}(,[\w.-]{1,128}){0,9}$/;
const LABEL = /^[A-Za-z0-9][\w./-]{0,254}$/;
/** Endings of Spring's flat formats, `/{label}/{application}-{profile}.yml`. */
const FLAT = /\.(ya?ml|json|properties)$/;

/**
 * Reads `/{application}/{profile}[/{label}]`; `(_)` in a label stands for `/`. Throws NOT_FOUND with reason
 * ROUTE_NOT_FOUND for other paths, INVALID_ARGUMENT when a part is no name.
 */
export function nameFromPath(path: string): ConfigurationName {
  const parts = path.slice(1).split('/');
  const [application = '', profile = '', label = ''] = parts.map(decoded);
  if (parts.length < 2 || parts.length > 3 || (parts.length === 2 && FLAT.test(profile)))
    throw routeNotFound();
  if (!APPLICATION.test(application)) throw badRequest('application', 'is not the name of an application');
  if (!PROFILE.test(profile)) throw badRequest('profile', 'is not a list of profiles');
  if (parts.length === 3 && (!LABEL.test(label) || label.includes('..')))
    throw badRequest('label', 'is not the name of a branch, tag or commit');
  return { application, profile, label };
}

/** Spring's Environment: the files that contribute, most specific first, values as written. */
export function environmentJson(configuration: Configuration, style: EnvironmentStyle): object {
  const { application: name, profiles, label, version, files } = configuration;
  const propertySources = files.map((file) => {
    const source = `${style.repository}/${file.name}`;
    const values = [...file.properties].map(
      ([key, property]) => [key, valueJson(property, source, style)] as const,
    );
    return { name: source, source: Object.fromEntries(values) };
  });
  return { name, profiles, label, version, state: null, propertySources };
}

function valueJson(
  { value, line, column }: Property,
  source: string,
  { origins }: EnvironmentStyle,
): unknown {
  return origins ? { value, origin: `${source}:${line}:${column}` } : value;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('(_)', '/');
  } catch {
    throw badRequest('path', 'is not percent-encoded UTF-8');
  }
}

function routeNotFound(): StatusError {
  return new StatusError(status.NOT_FOUND, 'the path is not /{application}/{profile}[/{label}]', {
    reason: 'ROUTE_NOT_FOUND',
  });
}
