/** What the launcher leaves in DATA/state.json for the other words of the command line. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { isLauncher } from './data-lock.ts';
import type { Endpoints } from './endpoints.ts';
import { writeWholeJson } from './whole-file.ts';

/** A fabric as its launcher sees it. */
export type FabricState = {
  /** Process id of the launcher. */
  launcher: number;
  offset: number;
  /** Whether all of it has been healthy once. */
  ready: boolean;
  processes: ProcessEntry[];
  endpoints: Endpoints;
  /** Opens the stand-in identity provider's token endpoint; absent with another issuer. */
  developerSecret?: string;
};

/** One process; `pid` is absent while it does not run. */
export type ProcessEntry = { name: string; service: string; pid?: number; ports: Record<string, number> };

/** Replaces the state below `data`. */
export function writeState(data: string, state: FabricState): Promise<void> {
  return writeWholeJson(stateFile(data), state);
}

/** Forgets the state below `data`. */
export function removeState(data: string): Promise<void> {
  return rm(stateFile(data), { force: true });
}

/** What was last written below `data`, be its launcher alive or not; undefined without any. */
export async function readState(data: string): Promise<FabricState | undefined> {
  try {
    return JSON.parse(await readFile(stateFile(data), 'utf8')) as FabricState;
  } catch {
    return undefined;
  }
}

/** The running fabric of a folder, or undefined; an offset that is given must be the fabric's own. */
export async function findFabric(options: {
  data: string;
  offset?: number;
}): Promise<FabricState | undefined> {
  const state = await readState(options.data);
  if (state === undefined || !(await isLauncher(state.launcher))) return undefined;
  return options.offset === undefined || options.offset === state.offset ? state : undefined;
}

/** Like findFabric, but a CommandError says that none runs. */
export async function demandFabric(options: { data: string; offset?: number }): Promise<FabricState> {
  const state = await findFabric(options);
  if (state !== undefined) return state;
  const shift = options.offset === undefined ? '' : ` with offset ${options.offset}`;
  throw new CommandError(`no fabric runs on ${options.data}${shift}: start one with \`npm start\``);
}

function stateFile(data: string): string {
  return join(data, 'state.json');
}
