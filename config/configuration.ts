/** The configuration of an application: of its label's commit, or of the last good one before. */
import { status } from '@grpc/grpc-js';
import { LRUCache } from 'lru-cache';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Logger } from '#fabric/telemetry/logger.ts';
import { environmentOf } from './domain.ts';
import type { Environment } from './domain.ts';
import type { Repository } from './repository.ts';
import { settingsFault } from './schema.ts';
import type { ConfigFile, Fault } from './yaml-file.ts';

/** Which configuration. */
export type ConfigurationName = {
  application: string;
  /** With commas between, the last one wins; '' stands for `default`. */
  profile: string;
  /** Branch, tag or commit; '' stands for the default label. */
  label: string;
};

/** What a commit made unusable for an application. */
export type Rejected = Fault & { version: string };

/** A configuration that can be used. */
export type Configuration = {
  application: string;
  profiles: string[];
  label: string;
  /** The commit it was read from. */
  version: string;
  /** The files that contribute, most specific first. */
  files: readonly ConfigFile[];
  /** The effective value of each key. */
  values: ReadonlyMap<string, string>;
  /** Newer commits that could not be used, newest first. */
  rejected: readonly Rejected[];
  fetchTime: Date | undefined;
  staleSince: Date | undefined;
};

/** The part of a configuration that never changes for one commit. */
type Resolved = Pick<Configuration, 'version' | 'files' | 'values' | 'rejected'>;

/** A commit, an application and its profiles; joined they are the key of the cache. */
type Address = { commit: string; application: string; profiles: string[] };

const MAX_PROFILES = 10;

/**
 * Reads configurations of a repository. Rejects with UNAVAILABLE and reason CONFIG_NOT_LOADED while no commit
 * was ever read, with NOT_FOUND and LABEL_NOT_FOUND when a label names no commit, and with UNAVAILABLE and
 * CONFIG_REJECTED when neither the commit nor the 50 before it can be used.
 */
export function configurationReader(
  repository: Repository,
  log: Logger,
): (name: ConfigurationName) => Promise<Configuration> {
  const cache = new LRUCache<string, Resolved, Address>({
    max: 2_000,
    fetchMethod: (_key, _stale, { context }) => lastGood(repository, log, context),
  });
  return async ({ application, profile, label }) => {
    if (!repository.loaded) throw notLoaded(repository);
    const commit = await repository.commit(label);
    if (commit === undefined) throw labelNotFound(label);
    const profiles = profilesOf(profile);
    const address = { commit, application, profiles };
    const resolved = await cache.fetch(JSON.stringify(address), { context: address });
    if (resolved === undefined) throw notLoaded(repository);
    const { fetchTime, staleSince } = repository;
    return { application, profiles, label: label || repository.label, ...resolved, fetchTime, staleSince };
  };
}

/** The environment of a commit, or while that has faults, of the nearest commit before it that has none. */
async function lastGood(
  repository: Repository,
  log: Logger,
  { commit, application, profiles }: Address,
): Promise<Resolved> {
  const read = async (version: string): Promise<Environment> =>
    checked(application, environmentOf(await repository.files(version), application, profiles));
  const newest = await read(commit);
  if (newest.faults.length === 0) return { version: commit, ...newest, rejected: [] };
  const rejected = newest.faults.map((fault) => ({ version: commit, ...fault }));
  logRejected(log, application, rejected);
  for (const version of await repository.before(commit)) {
    const environment = await read(version);
    if (environment.faults.length === 0) return { version, ...environment, rejected };
    rejected.push(...environment.faults.map((fault) => ({ version, ...fault })));
  }
  throw allRejected(application, rejected);
}

function checked(application: string, environment: Environment): Environment {
  const fault = environment.faults.length === 0 ? settingsFault(application, environment) : undefined;
  return fault === undefined ? environment : { ...environment, faults: [fault] };
}

function profilesOf(profile: string): string[] {
  const profiles = profile.split(',').filter((name) => name !== '');
  return profiles.length === 0 ? ['default'] : profiles.slice(-MAX_PROFILES);
}

function logRejected(log: Logger, application: string, rejected: readonly Rejected[]): void {
  for (const { version, file, line, reason } of rejected)
    log.error(
      { event: 'config_rejected', application, version, file, line, reason },
      'configuration rejected',
    );
}

function notLoaded(repository: Repository): StatusError {
  return new StatusError(status.UNAVAILABLE, `nothing was read from ${repository.name} yet`, {
    reason: 'CONFIG_NOT_LOADED',
  });
}

function labelNotFound(label: string): StatusError {
  return new StatusError(status.NOT_FOUND, `label ${label} names no commit`, {
    reason: 'LABEL_NOT_FOUND',
    metadata: { label },
  });
}

function allRejected(application: string, [newest]: readonly Rejected[]): StatusError {
  const { version = '', file = '', line = 0, reason = '' } = newest ?? {};
  return new StatusError(
    status.UNAVAILABLE,
    `no usable commit for ${application}: ${file}:${line}: ${reason}`,
    {
      reason: 'CONFIG_REJECTED',
      metadata: { application, version, file, line: String(line) },
    },
  );
}
