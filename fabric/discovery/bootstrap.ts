/** The xDS bootstrap: where a gRPC client of any language finds the registry, and who it is. */

/** What goes into a bootstrap. */
export type BootstrapOptions = {
  /** The registry's xDS port as a gRPC target, such as "127.0.0.1:50060". */
  readonly server: string;
  /** Names this process in the registry's logs, such as "order-1". */
  readonly node: string;
  /** The group that the node belongs to, by default "mercer". */
  readonly cluster?: string;
  /** Where the process runs; empty when zones are of no matter. */
  readonly zone: string;
};

/**
 * The JSON that GRPC_XDS_BOOTSTRAP_CONFIG holds, or the file that GRPC_XDS_BOOTSTRAP names (gRFC A27).
 * `locality` must be there even when it is empty: grpc-js fails without it. `ignore_resource_deletion`
 * (gRFC A53) keeps what a client has when the registry says less than before. The port is plaintext,
 * because grpc-js speaks no TLS to a control plane.
 */
export function bootstrap({ server, node, cluster = 'mercer', zone }: BootstrapOptions): string {
  return JSON.stringify({
    xds_servers: [
      {
        server_uri: server,
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3', 'ignore_resource_deletion'],
      },
    ],
    node: { id: node, cluster, locality: zone === '' ? {} : { zone } },
  });
}
