/** `mercer cert`: a certificate for an hour, signed by the fabric's own authority. */
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { CommandError } from './command-error.ts';
import { fabricCommand } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';

type Options = FabricOptions & { out?: string; json?: true };

export function cert(): Command {
  return fabricCommand('cert', 'Make a one-hour certificate for mutual TLS.')
    .argument('<identity>', 'svc/NAME (client and server) or dev/NAME (client)', identity)
    .option('--out <dir>', 'folder for the files (default: DATA/pki/issued)')
    .option('--json', 'print {"cert":FILE,"key":FILE,"ca":FILE}')
    .action(issue);
}

async function issue(identity: string, options: Options): Promise<void> {
  const pki = join(options.data, 'pki');
  await access(join(pki, 'ca.pem')).catch((cause: unknown) => {
    throw new CommandError(`${pki} holds no authority yet: start the fabric once with \`npm start\``, {
      cause,
    });
  });
  const { openAuthority } = await import('#fabric/identity/pki.ts');
  const authority = await openAuthority(pki);
  const dir = resolve(options.out ?? join(pki, 'issued'));
  const files = await authority.issue(identity, { dir, hours: 1 });
  if (options.json === true) console.log(JSON.stringify(files));
  else console.log(`cert  ${files.cert}\nkey   ${files.key}\nca    ${files.ca}`);
}

function identity(text: string): string {
  if (/^(svc|dev)\/[a-z0-9][a-z0-9-]{0,62}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be svc/NAME or dev/NAME, NAME of a-z, 0-9 and -.');
}
