/** `mercer token`: an access token of the stand-in identity provider, on the last line. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { parseDuration } from '#fabric/settings/duration.ts';
import { fabricCommand } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';
import { demandFabric } from './launcher/fabric-state.ts';
import { requestToken } from './launcher/tokens.ts';

type Options = FabricOptions & { role: 'ADMIN' | 'CUSTOMER'; sub?: string; ttl: number };

/** The identity provider gives tokens for a day at most; ms. */
const LONGEST = 86_400_000;

/** Who stands for a role when nobody is named. */
export const USERS = { ADMIN: 'admin', CUSTOMER: 'customer' } as const;

export function token(): Command {
  return fabricCommand('token', 'Print an access token; nothing but it stands on the last line.')
    .addOption(
      new Option('--role <role>', 'role in the token').choices(['ADMIN', 'CUSTOMER']).default('CUSTOMER'),
    )
    .option('--sub <name>', 'whose token (default: admin or customer)')
    .option('--ttl <duration>', 'how long it is valid: 30s, 15m, 1h', seconds, 3600)
    .action(print);
}

async function print({ role, sub, ttl, ...options }: Options): Promise<void> {
  const fabric = await demandFabric(options);
  console.log(await requestToken(fabric, { role, sub: sub ?? USERS[role], ttl }));
}

function seconds(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined || duration < 1_000 || duration > LONGEST)
    throw new InvalidArgumentError('It must be a duration from 1s to 24h, such as 15m.');
  return Math.floor(duration / 1_000);
}
