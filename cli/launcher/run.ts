/** Runs a fabric from its first process to its last. */
import { banner } from './banner.ts';
import type { BannerFacts } from './banner.ts';
import { firstProduct } from './catalogue.ts';
import { openFabric } from './fabric.ts';
import type { Fabric } from './fabric.ts';
import { showProgress } from './progress.ts';
import type { Progress } from './progress.ts';
import { writeReadyFile } from './ready-file.ts';
import type { Tokens } from './ready-file.ts';
import { onStopSignals } from './signals.ts';
import { givesTokens, requestToken } from './tokens.ts';
import { givenSettings } from './wiring.ts';
import type { UpOptions } from '../up.ts';
import { USERS } from '../token.ts';

/** The tokens that are printed last a working day; seconds. */
const TOKEN_TTL = 12 * 3600;

/** Starts a fabric, prints where it is, and returns when it was asked to stop and is gone. */
export async function runFabric(options: UpOptions): Promise<void> {
  const began = Date.now();
  const progress = showProgress(process.stdout);
  const given = givenSettings(options.set, process.env);
  await using stack = new AsyncDisposableStack();
  const fabric = await openFabric({ ...options, given }, progress, stack);
  stack.defer(progress.settle);
  const stopped = stopOnSignal(fabric, progress);
  await fabric.start();
  const facts = await Promise.race([complete(fabric, options, progress), stopped]);
  if (facts !== undefined) {
    progress.settle();
    announce({ ...facts, seconds: (Date.now() - began) / 1_000 }, progress);
    await stopped;
  }
}

/** In the background, whoever started it is told, and prints the banner: no token goes to a log. */
function announce(facts: BannerFacts, progress: Progress): void {
  if (process.send === undefined) {
    progress.say(`${banner(facts)}\n\nCtrl-C stops everything.`);
    return;
  }
  process.send?.(facts, undefined, undefined, () => process.disconnect?.());
}

function stopOnSignal(fabric: Fabric, progress: Progress): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  onStopSignals(
    () => {
      progress.settle();
      progress.say('\nStopping; once more ends everything at once.');
      resolve(fabric.stop());
    },
    () => void fabric.kill(),
  );
  return promise;
}

/** What is done once the processes are healthy: catalogue, tokens, ready-file. */
async function complete(fabric: Fabric, options: UpOptions, progress: Progress): Promise<BannerFacts> {
  const state = fabric.state();
  const { endpoints } = state;
  const { developer } = fabric.blueprint.certificates;
  const tokens = givesTokens(state) ? await bothTokens(fabric) : undefined;
  await fillCatalogue(fabric, { what: options.seed, token: tokens?.admin, progress });
  if (options.readyFile !== undefined) await writeReadyFile(options.readyFile, endpoints, tokens);
  await fabric.declareReady();
  return { endpoints, developer, tokens, productId: await firstProduct(endpoints.gateway) };
}

async function fillCatalogue(
  { blueprint }: Fabric,
  { what, token, progress }: { what: UpOptions['seed']; token: string | undefined; progress: Progress },
): Promise<void> {
  const [target] = blueprint.plan.endpoints.product;
  if (what === 'none' || target === undefined) return;
  if (token === undefined) {
    progress.say('The catalogue is not filled: another issuer gives the tokens.');
    return;
  }
  const { seed } = await import('./seed.ts');
  const { created } = await seed({ what, target, token, developer: blueprint.certificates.developer });
  if (created > 0) progress.say(`Added ${created} products to the catalogue.`);
}

async function bothTokens(fabric: Fabric): Promise<Tokens> {
  const [admin, customer] = await Promise.all([
    requestToken(fabric.state(), { role: 'ADMIN', sub: USERS.ADMIN, ttl: TOKEN_TTL }),
    requestToken(fabric.state(), { role: 'CUSTOMER', sub: USERS.CUSTOMER, ttl: TOKEN_TTL }),
  ]);
  return { admin, customer };
}
