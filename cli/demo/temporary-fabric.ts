/** A fabric that runs for one command alone. */
import type { FabricOptions } from '../fabric-options.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { startInBackground } from '../launcher/background.ts';
import { demandFabric } from '../launcher/fabric-state.ts';
import type { FabricState } from '../launcher/fabric-state.ts';
import { stopLauncher } from '../launcher/stop-launcher.ts';

/** Starts a fabric in the background, does the work, and stops it again whatever came of the work. */
export async function runForAWhile(
  { data, offset = 0 }: FabricOptions,
  work: (fabric: FabricState) => Promise<void>,
): Promise<void> {
  await startInBackground(data, ['up', '--data', data, '--offset', String(offset)]);
  const fabric = await demandFabric({ data });
  process.once('SIGINT', () => {
    process.kill(fabric.launcher, 'SIGTERM');
    process.exit(INTERRUPTED);
  });
  try {
    await work(fabric);
  } finally {
    await stopLauncher(fabric.launcher);
  }
}
