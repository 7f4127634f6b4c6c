/** What every process stands on, opened from its settings: telemetry, identity, channels. */
import type { TokenVerifier } from '../identity/token-verifier.ts';
import { tokenVerifier } from '../identity/token-verifier.ts';
import { readWorkloadCredentials } from '../identity/workload.ts';
import type { WorkloadCredentials } from '../identity/workload.ts';
import { useXds } from '../discovery/xds.ts';
import { openChannel } from '../rpc/channel.ts';
import type { Channel, ChannelTarget } from '../rpc/channel.ts';
import { loadSettings } from '../settings/settings.ts';
import type { Settings } from '../settings/settings.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { armFailpoints } from './failpoint.ts';

/** The ground under a service. */
export type Runtime = {
  /** The service, "order". */
  name: string;
  settings: Settings;
  log: Logger;
  metrics: Metrics;
  credentials: WorkloadCredentials;
  verifier: TokenVerifier;
  /** A shared channel to a service: by xDS, registry and config by address. */
  channel: (service: string) => Channel;
  clock: () => Date;
  close: () => Promise<void>;
};

/** Reads the settings of a service and opens what they describe; nothing is dialled yet. */
export async function openRuntime(name: string): Promise<Runtime> {
  const settings = await loadSettings(name);
  armFailpoints(settings['failpoint'], settings['chaos'] === '1');
  const instance = settings['instance.id'];
  const log = createLogger({ service: name, instance, level: settings['log.level'] });
  const tracing = startTracing({
    service: name,
    zipkinUrl: settings['zipkin.url'],
    sampleRate: settings['trace.sample-rate'],
  });
  const credentials = readWorkloadCredentials({
    cert: settings['pki.cert'],
    key: settings['pki.key'],
    ca: settings['pki.ca'],
  });
  const verifier = tokenVerifier({
    issuer: settings['oidc.issuer'],
    audience: settings['oidc.audience'],
    rolesClaim: settings['oidc.roles-claim'],
  });
  const metrics = createMetrics(name);
  metrics.gauge('trace_spans_lost', 'Spans that could not be delivered.', () => tracing.lostSpans());
  for (const point of settings['failpoint'])
    log.warn({ event: 'failpoint_set', ...point }, `${point.name} will ${point.act}`);
  if (settings.problem !== '')
    log.warn({ event: 'config_unavailable', source: settings.source }, settings.problem);
  const channels = new Map<string, Channel>();
  return {
    name,
    settings,
    log,
    metrics,
    credentials,
    verifier,
    channel: (service) => {
      const channel =
        channels.get(service) ??
        openChannel(targetOf(service, settings, { cluster: name, credentials, metrics: metrics.rpc }));
      channels.set(service, channel);
      return channel;
    },
    clock: () => new Date(),
    close: async () => {
      for (const channel of channels.values()) channel.close();
      await tracing.shutdown();
    },
  };
}

/** Registry and config are what discovery itself stands on, so they are dialled by address. */
function targetOf(
  service: string,
  settings: Settings,
  { cluster, ...common }: Pick<ChannelTarget, 'credentials' | 'metrics'> & { cluster: string },
): ChannelTarget {
  if (service === 'registry' || service === 'config') {
    return { ...common, target: settings[`${service}.address`], authority: service };
  }
  useXds({
    server: settings['registry.xds'],
    node: settings['instance.id'],
    zone: settings['zone'],
    cluster,
  });
  return { ...common, target: `xds:///${service}` };
}
