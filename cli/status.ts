/** `mercer status`: what runs, where it listens and how it is. */
import type { Command } from 'commander';
import { fabricCommand } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';
import { demandFabric } from './launcher/fabric-state.ts';
import type { ProcessEntry } from './launcher/fabric-state.ts';
import { healthOf } from './launcher/process-health.ts';
import type { Health } from './launcher/process-health.ts';
import { paint, table } from './terminal.ts';

type Options = FabricOptions & { json?: true };
type Row = {
  name: string;
  service: string;
  pid: number | null;
  ports: Record<string, number>;
  health: Health;
};

export function status(): Command {
  return fabricCommand('status', 'Show the processes of the running fabric; exit 1 when none runs.')
    .option('--json', 'print JSON for scripts')
    .action(show);
}

async function show(options: Options): Promise<void> {
  const fabric = await demandFabric(options);
  const processes = await Promise.all(fabric.processes.map(rowOf));
  console.log(options.json === true ? JSON.stringify({ processes }) : asTable(processes));
}

async function rowOf(entry: ProcessEntry): Promise<Row> {
  const { name, service, pid = null, ports } = entry;
  return { name, service, pid, ports, health: await healthOf(entry) };
}

function asTable(rows: readonly Row[]): string {
  const lines = rows.map(({ name, pid, ports, health }) => [
    name,
    paint(health === 'SERVING' ? 'green' : 'red', health),
    String(pid ?? '-'),
    Object.entries(ports)
      .map(([port, number]) => `${paint('dim', port)} ${number}`)
      .join('  '),
  ]);
  return table([['NAME', 'HEALTH', 'PID', 'PORTS'].map((heading) => paint('bold', heading)), ...lines]);
}
