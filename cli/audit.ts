/** `mercer audit`: whether the books of all services and of the acquirer agree, down to the unit and the cent. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Verdict } from './audit/judge.ts';
import type { Sources } from './audit/read-books.ts';
import { CommandError } from './command-error.ts';
import { FAILED, OK } from './exit-codes.ts';
import { fabricCommand } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';
import { demandFabric } from './launcher/fabric-state.ts';
import type { FabricState } from './launcher/fabric-state.ts';
import { paint, table } from './terminal.ts';

type Options = FabricOptions & { json?: true };

/** Breaches of one check that people are shown; scripts get all of them. */
const MOST_SHOWN = 10;

export function audit(): Command {
  return fabricCommand('audit', 'Check stock, money and orders over all databases; exit 1 on any breach.')
    .option('--json', 'print JSON for scripts')
    .action(run);
}

async function run(options: Options): Promise<void> {
  const sources = sourcesOf(await demandFabric(options));
  const [{ readBooks }, judge] = await Promise.all([
    import('./audit/read-books.ts'),
    import('./audit/judge.ts'),
  ]);
  const verdicts = await judge.audit({ read: () => readBooks(sources), sleep });
  const ok = verdicts.every(isKept);
  console.log(options.json === true ? asJson(verdicts, ok) : asReport(verdicts));
  process.exitCode = ok ? OK : FAILED;
}

function sourcesOf({ endpoints: { databases, acquirer } }: FabricState): Sources {
  const { product, order, payment } = databases;
  if (product === undefined || order === undefined || payment === undefined || acquirer === undefined)
    throw new CommandError('an audit needs product, order, payment and acquirer; this fabric runs a part');
  return { product, order, payment, acquirer };
}

function isKept({ suspicions }: Verdict): boolean {
  return suspicions.length === 0;
}

function asJson(verdicts: readonly Verdict[], ok: boolean): string {
  const checks = verdicts.map((verdict) => ({
    id: verdict.id,
    ok: isKept(verdict),
    breaches: verdict.suspicions.map(({ entity, says }) => `${entity}: ${says}`),
  }));
  return JSON.stringify({ ok, checks });
}

function asReport(verdicts: readonly Verdict[]): string {
  const heading = ['CHECK', 'RULE', 'LOOKED AT', 'RESULT'].map((word) => paint('bold', word));
  const rows = verdicts.map((verdict) => [
    verdict.id,
    verdict.says,
    String(verdict.entities),
    result(verdict),
  ]);
  return [table([heading, ...rows]), ...verdicts.filter((verdict) => !isKept(verdict)).map(details)].join(
    '\n',
  );
}

function result({ suspicions }: Verdict): string {
  if (suspicions.length === 0) return paint('green', 'ok');
  return paint('red', suspicions.length === 1 ? '1 breach' : `${suspicions.length} breaches`);
}

function details({ id, suspicions }: Verdict): string {
  const shown = suspicions.slice(0, MOST_SHOWN).map(({ entity, says }) => `  ${entity}: ${says}`);
  const more = suspicions.length - shown.length;
  const rest = more > 0 ? [`  and ${more} more; --json lists all`] : [];
  return [`\n${paint('red', id)}`, ...shown, ...rest].join('\n');
}
