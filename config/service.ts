/** ConfigService: configuration over gRPC, for an application itself and for ADMINs. */
import { status } from '@grpc/grpc-js';
import { GetConfigResponse } from '#gen/mercer/config/v1/config_service.ts';
import type { ConfigServiceService } from '#gen/mercer/config/v1/config_service.ts';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import { unimplemented } from '#fabric/rpc/implement.ts';
import type { Handlers } from '#fabric/rpc/service-definition.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Configuration, ConfigurationName } from './configuration.ts';
import { textsOf } from './domain.ts';

/** What the handlers stand on. */
export type ConfigServiceOptions = {
  read: (name: ConfigurationName) => Promise<Configuration>;
  /** URL of the repository, which files are named after. */
  repository: string;
};

/** The handlers of ConfigService. */
export function configService({
  read,
  repository,
}: ConfigServiceOptions): Handlers<typeof ConfigServiceService> {
  return {
    getConfig: async (request, call) => {
      requireOwn(call, request.application);
      return toResponse(await read(request), repository);
    },
    watchConfig: () => {
      throw unimplemented('WatchConfig');
    },
    listApplied: () => Promise.reject(unimplemented('ListApplied')),
    validateConfig: () => Promise.reject(unimplemented('ValidateConfig')),
    pinConfig: () => Promise.reject(unimplemented('PinConfig')),
    unpinConfig: () => Promise.reject(unimplemented('UnpinConfig')),
  };
}

/** The `self` of the access option: the workload is the application, unless an ADMIN asks. */
function requireOwn(call: CallContext, application: string): void {
  if (call.caller === `svc/${application}` || call.user?.roles.includes('ADMIN') === true) return;
  throw new StatusError(status.PERMISSION_DENIED, `only ${application} itself and an ADMIN may read this`, {
    reason: 'NOT_OWN_APPLICATION',
    metadata: { application },
  });
}

function toResponse(configuration: Configuration, repository: string): GetConfigResponse {
  const { files, values, rejected, ...rest } = configuration;
  return GetConfigResponse.create({
    ...rest,
    sources: files.map((file) => ({ name: `${repository}/${file.name}`, properties: textsOf(file) })),
    values: Object.fromEntries(values),
    rejected: [...rejected],
  });
}
