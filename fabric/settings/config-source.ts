/** Reads a process's central configuration from the config server, or from the last-known-good copy on disk. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { ConfigServiceService, GetConfigResponse } from '#gen/mercer/config/v1/config_service.ts';
import { replaceFile, SECRET } from '../data/atomic-file.ts';
import type { WorkloadCredentials } from '../identity/workload.ts';
import { openChannel } from '../rpc/channel.ts';
import { connect } from '../rpc/client.ts';
import { StatusError, toStatusError } from '../rpc/status-error.ts';

/** Whether the configuration came from the server, from the copy, or from neither. */
export type ConfigState = 'live' | 'stale' | 'none';

/** What could be read. */
export type CentralConfig = {
  state: ConfigState;
  config: GetConfigResponse;
  /** Why it is not live; empty when it is. */
  problem: string;
};

/** Where to read, and as whom. */
export type ConfigSourceOptions = {
  /** The config server's gRPC address. */
  address: string;
  application: string;
  /** Profiles with commas between. */
  profile: string;
  /** Folder of the copy. */
  directory: string;
  credentials: WorkloadCredentials;
};

/** The whole time that a start waits for the config server, and one attempt's share of it, in ms. */
const PATIENCE = 3_000;
const ATTEMPT = 1_000;
const PAUSE = 150;

/** Failures that another attempt may mend: the server is starting, or has no commit yet. */
const PASSING: readonly status[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];

/** Reads from the server within 3 s, else from the copy, else nothing; never fails. */
export async function readCentralConfig(options: ConfigSourceOptions): Promise<CentralConfig> {
  try {
    return { state: 'live', config: await askServer(options), problem: '' };
  } catch (error) {
    const problem = `config server ${options.address}: ${toStatusError(error).message}`;
    const copy = await readCopy(options);
    return copy === undefined
      ? { state: 'none', config: GetConfigResponse.create(), problem }
      : { state: 'stale', config: copy, problem };
  }
}

/**
 * Keeps a configuration that proved usable, for a start without the server; readable by its owner alone,
 * because values may be secret. Resolves with '', or with why it could not be kept: no reason not to start.
 */
export async function keepCopy(options: ConfigSourceOptions, config: GetConfigResponse): Promise<string> {
  try {
    await mkdir(options.directory, { recursive: true });
    const copy = JSON.stringify(GetConfigResponse.toJSON(config), undefined, 2);
    await replaceFile(copyFile(options), copy, SECRET);
    return '';
  } catch (error) {
    return `no last-known-good copy is kept: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function askServer(options: ConfigSourceOptions): Promise<GetConfigResponse> {
  const { address: target, application, profile, credentials } = options;
  const channel = openChannel({ target, authority: 'config', credentials });
  const client = connect(ConfigServiceService, channel);
  const end = Date.now() + PATIENCE;
  try {
    for (;;) {
      const timeout = Math.min(ATTEMPT, end - Date.now());
      try {
        return await client.getConfig({ application, profile, label: '' }, { timeout });
      } catch (error) {
        if (!mayPass(error) || Date.now() + PAUSE >= end) throw error;
      }
      await sleep(PAUSE);
    }
  } finally {
    channel.close();
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof StatusError && PASSING.includes(error.code);
}

/** A copy that is missing, unreadable or of other profiles is none. */
async function readCopy(options: ConfigSourceOptions): Promise<GetConfigResponse | undefined> {
  try {
    const copy = GetConfigResponse.fromJSON(JSON.parse(await readFile(copyFile(options), 'utf8')));
    const same = copy.application === options.application && copy.profiles.join(',') === options.profile;
    return same ? copy : undefined;
  } catch {
    return undefined;
  }
}

function copyFile({ directory, application }: ConfigSourceOptions): string {
  return join(directory, `config-${application}.json`);
}
