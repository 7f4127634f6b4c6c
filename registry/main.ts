/** The registry process: RegistryService over mutual TLS, and xDS on a plaintext port of its own. */
import path from 'node:path';
import { RegistryServiceService } from '#gen/mercer/registry/v1/registry_service.ts';
import { runService } from '#fabric/process/run-service.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { SettingsError } from '#fabric/settings/settings.ts';
import { openLeases } from './open-leases.ts';
import { registryService } from './service.ts';
import { startAds } from './xds/ads.ts';

await runService('registry', async ({ settings, log, metrics }) => {
  if (settings['etcd.endpoints'].length > 0)
    throw new SettingsError('etcd.endpoints', 'etcd.endpoints must be empty: leases are kept in memory');
  const clock = (): number => performance.now();
  const file = path.join(settings['data.dir'], 'registry-leases');
  const { leases, close } = await openLeases({ file, log, clock });
  const ads = await startAds({ leases, log, bind: `${settings['xds.bind']}:${settings['xds.port']}` });
  log.info({ event: 'xds_serving', port: ads.port }, 'the xDS port is open');
  metrics.gauge('mercer_registry_leases', 'Leases held.', () => leases.leases().length);
  metrics.gauge('mercer_registry_ads_streams', 'Open ADS streams.', ads.streams);
  metrics.gauge(
    'mercer_registry_nacks',
    'Nodes and types whose latest update was refused.',
    () => ads.nacks().length,
  );
  const stopping = new AbortController();
  return {
    registrations: [
      implement(RegistryServiceService, registryService({ leases, log, clock, stopping: stopping.signal })),
    ],
    drain: () => {
      stopping.abort();
      ads.close();
      return Promise.resolve();
    },
    close,
  };
});
