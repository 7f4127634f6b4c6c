/** `mercer restart NAME`: asks a process to leave; the launcher starts it again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { CommandError } from './command-error.ts';
import { USAGE } from './exit-codes.ts';
import { fabricCommand } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';
import { demandFabric } from './launcher/fabric-state.ts';
import type { FabricState, ProcessEntry } from './launcher/fabric-state.ts';
import { healthOf } from './launcher/process-health.ts';
import { duration } from './terminal.ts';

/** A process has 10 s to end and the same to come back, with some reserve; ms. */
const PATIENCE = 30_000;
const ASK_EVERY = 100;

export function restart(): Command {
  return fabricCommand('restart', 'End a process in order and start it again.')
    .argument(
      '<name>',
      'a process, such as order-1, or a service, such as order: all of it, one after another',
    )
    .action(restartNamed);
}

async function restartNamed(name: string, options: FabricOptions): Promise<void> {
  const fabric = await demandFabric(options);
  for (const entry of entriesNamed(fabric, name)) {
    const began = Date.now();
    await restartOne(entry, options);
    console.log(`${entry.name} is back after ${duration(Date.now() - began)}`);
  }
}

/** The processes of that name or service; a CommandError lists the names when there is none. */
export function entriesNamed(fabric: FabricState, name: string): ProcessEntry[] {
  const entries = fabric.processes.filter((entry) => entry.name === name || entry.service === name);
  if (entries.length > 0) return entries;
  const names = fabric.processes.map((entry) => entry.name).join(', ');
  throw new CommandError(`no process is called ${name}; there are ${names}`, { exitCode: USAGE });
}

async function restartOne(entry: ProcessEntry, options: FabricOptions): Promise<void> {
  // PostgreSQL takes SIGINT for "now, but in order"; SIGTERM would wait for its clients to leave.
  if (entry.pid !== undefined) process.kill(entry.pid, entry.service === 'postgres' ? 'SIGINT' : 'SIGTERM');
  for (let waited = 0; waited < PATIENCE; waited += ASK_EVERY) {
    await sleep(ASK_EVERY);
    const { processes } = await demandFabric(options);
    const now = processes.find(({ name }) => name === entry.name);
    if (now?.pid !== undefined && now.pid !== entry.pid && (await healthOf(now)) === 'SERVING') return;
  }
  throw new CommandError(`${entry.name} did not come back; see \`mercer logs ${entry.name}\``);
}
