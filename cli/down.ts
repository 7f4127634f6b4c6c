/** `mercer down`: stops the running fabric, in order. */
import type { Command } from 'commander';
import { fabricCommand } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';
import { findFabric } from './launcher/fabric-state.ts';
import { endLeftovers } from './launcher/leftovers.ts';
import { stopLauncher } from './launcher/stop-launcher.ts';

export function down(): Command {
  return fabricCommand('down', 'Stop the running fabric in order: gateway first, PostgreSQL last.').action(
    stop,
  );
}

async function stop(options: FabricOptions): Promise<void> {
  const fabric = await findFabric(options);
  if (fabric === undefined) {
    const left = await endLeftovers(options.data);
    console.log(left === 0 ? 'No fabric runs.' : `Ended ${left} processes that a fabric had left behind.`);
    return;
  }
  await stopLauncher(fabric.launcher);
  console.log('The fabric is stopped.');
}
