/** The config server: configuration from a git repository, over gRPC and over Spring Cloud Config's HTTP. */
import { ConfigServiceService } from '#gen/mercer/config/v1/config_service.ts';
import { runService } from '#fabric/process/run-service.ts';
import { implement } from '#fabric/rpc/implement.ts';
import { configurationReader } from './configuration.ts';
import { startConfigHttp } from './http.ts';
import { openRepository } from './repository.ts';
import { configService } from './service.ts';

await runService('config', async ({ settings, log }) => {
  const repository = await openRepository({
    url: settings['config.repository'],
    directory: settings['data.dir'],
    label: settings['config.label'],
    poll: settings['config.poll'],
    log,
  });
  const read = configurationReader(repository, log);
  const http = await startConfigHttp({
    bind: settings['http.bind'],
    port: settings['config.http-port'],
    read,
    repository: repository.name,
    log,
  });
  return {
    registrations: [implement(ConfigServiceService, configService({ read, repository: repository.name }))],
    ready: async () => {
      if (!repository.loaded) throw new Error(`nothing was read from ${repository.name} yet`);
    },
    close: async () => {
      await http.close();
      await repository[Symbol.asyncDispose]();
    },
  };
});
