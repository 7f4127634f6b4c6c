/** The bootstrap is what grpc-js-xds, and every other gRPC, reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrap } from './bootstrap.ts';

const options = { server: '127.0.0.1:50060', node: 'order-1', cluster: 'order', zone: 'eu-1a' };

test('a bootstrap names the registry, the node and its zone', () => {
  assert.deepEqual(JSON.parse(bootstrap(options)), {
    xds_servers: [
      {
        server_uri: '127.0.0.1:50060',
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3', 'ignore_resource_deletion'],
      },
    ],
    node: { id: 'order-1', cluster: 'order', locality: { zone: 'eu-1a' } },
  });
});

test('a node without a zone still has a locality, for grpc-js fails without one', () => {
  const { node } = JSON.parse(bootstrap({ ...options, zone: '' })) as { node: { locality: unknown } };
  assert.deepEqual(node.locality, {});
});
