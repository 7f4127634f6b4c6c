/** Makes `xds:///name` a target that this process can dial. */
import { createRequire } from 'node:module';
import type * as xds from '@grpc/grpc-js-xds';
import { bootstrap } from './bootstrap.ts';
import type { BootstrapOptions } from './bootstrap.ts';

let used = false;

/**
 * Registers grpc-js-xds, which reads its bootstrap when the first xDS channel is made and keeps it for the
 * life of the process; so the first call counts and later ones do nothing. A bootstrap that the environment
 * already names (GRPC_XDS_BOOTSTRAP, GRPC_XDS_BOOTSTRAP_CONFIG) goes first. The library costs 65 MB, so it
 * is loaded here and not with the module.
 */
export function useXds(options: BootstrapOptions): void {
  if (used) return;
  used = true;
  process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] ??= bootstrap(options);
  const library = createRequire(import.meta.url)('@grpc/grpc-js-xds') as typeof xds;
  library.register();
}
