/** The gateway as a process. */
import { fileURLToPath } from 'node:url';
import { runService } from '#fabric/process/run-service.ts';
import { registry } from '#fabric/rpc/descriptors.ts';
import { cors } from './cors.ts';
import { createGateway } from './gateway.ts';
import { startHttpServer } from './http-server.ts';
import { imageRoute } from './images.ts';
import { methodRoutes } from './method-endpoint.ts';
import { compilePlans } from './plan.ts';
import { probeRoutes } from './probes.ts';
import { createRouter } from './router.ts';
import { connectAhead, createUpstream } from './upstream.ts';

const IMAGES = fileURLToPath(new URL('../dev/seed/images', import.meta.url));
/** How long open requests may go on after SIGTERM, in ms; below the launcher's STOP_STAGES. */
const DRAIN = 5_000;

await runService('gateway', async ({ settings, log, metrics, verifier, channel }) => {
  let draining = false;
  const plans = compilePlans(registry);
  const upstream = createUpstream(channel);
  connectAhead(channel, plans);
  const router = createRouter([
    ...probeRoutes(() => draining),
    imageRoute(IMAGES),
    ...methodRoutes(registry, plans, { verifier, upstream, log }),
  ]);
  const gateway = createGateway({ router, cors: cors(settings['cors.origins']), log, metrics });
  const server = await startHttpServer(gateway, {
    bind: settings['gateway.bind'],
    port: settings['gateway.port'],
  });
  log.info({ event: 'listening', port: server.port }, 'the public port is open');
  return {
    registrations: [],
    drain: () => {
      draining = true;
      return server.drain(DRAIN);
    },
  };
});
