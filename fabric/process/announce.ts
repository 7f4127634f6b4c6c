/** Registers a serving process, with the service's name and the address that others dial. */
import { RegistryServiceService } from '#gen/mercer/registry/v1/registry_service.ts';
import { register } from '../discovery/registration.ts';
import type { Registration } from '../discovery/registration.ts';
import { connect } from '../rpc/client.ts';
import type { Runtime } from './runtime.ts';

/** Processes that discovery stands on; they are dialled by address and do not register. */
const DIALLED_BY_ADDRESS = new Set(['registry', 'config']);

/** Takes part in discovery; undefined for a process that is dialled by address. */
export async function announce(runtime: Runtime, port: number): Promise<Registration | undefined> {
  const { name, settings, log } = runtime;
  if (DIALLED_BY_ADDRESS.has(name)) return undefined;
  return register({
    registry: connect(RegistryServiceService, runtime.channel('registry')),
    instance: {
      service: name,
      instanceId: settings['instance.id'],
      address: settings['advertise.address'],
      port,
      zone: settings['zone'],
    },
    ttl: settings['registry.ttl'],
    log,
  });
}
