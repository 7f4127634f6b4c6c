/** The card acquirer of a development machine: a third party with its own process, interface and ledger. */
import { join } from 'node:path';
import { startTracing } from '#fabric/telemetry/tracing.ts';
import { runStandIn } from '../stand-in/stand-in.ts';
import { Acquirer } from './acquirer.ts';
import { sendChargeEvent } from './charge-events.ts';
import type { Charge } from './domain.ts';
import { openLedger } from './ledger.ts';
import { acquirerRoutes } from './server.ts';

await runStandIn({ name: 'acquirer', port: 9100 }, async ({ log, dataDir, env }) => {
  const tracing = startTracing({
    service: 'acquirer',
    zipkinUrl: env['MERCER_ZIPKIN_URL'] ?? '',
    sampleRate: 1,
  });
  const clock = (): Date => new Date();
  const end = new AbortController();
  const { MERCER_ACQUIRER_EVENT_URL: url, MERCER_ACQUIRER_EVENT_SECRET: secret } = env;
  const onDecided = (charge: Charge): void => {
    if (url === undefined || secret === undefined) return;
    void sendChargeEvent(charge, { url, secret, log, clock, over: end.signal });
  };
  const acquirer = new Acquirer({
    ledger: await openLedger(join(dataDir, 'ledger.jsonl')),
    clock,
    onDecided,
  });
  return {
    routes: acquirerRoutes(acquirer),
    close: async () => {
      end.abort();
      await Promise.all([acquirer[Symbol.asyncDispose](), tracing.shutdown()]);
    },
  };
});
