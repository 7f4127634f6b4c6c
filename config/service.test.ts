/** Who may read which configuration. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import { configService } from './service.ts';
import { parseYaml } from './yaml-file.ts';

const service = configService({
  repository: 'https://host/config-repo',
  read: async ({ application }) => ({
    application,
    profiles: ['default'],
    label: 'main',
    version: 'c0ffee',
    files: [parseYaml('order.yml', 'url: http://${host}\nport: 80')],
    values: new Map([['url', 'http://h']]),
    rejected: [{ version: 'badbad', file: 'order.yml', line: 3, reason: 'why' }],
    fetchTime: new Date(0),
    staleSince: undefined,
  }),
});
const request = { application: 'order', profile: '', label: '' };

function callBy(caller: string, roles?: string[]): CallContext {
  const user =
    roles === undefined
      ? undefined
      : { issuer: 'x', subject: 'u', roles, scopes: [], expiresAt: new Date(8.64e15) };
  return {
    method: '/mercer.config.v1.ConfigService/GetConfig',
    caller,
    user,
    token: undefined,
    requestId: 'r',
    deadline: new Date(8.64e15),
    signal: new AbortController().signal,
  };
}

test('an application reads its own configuration', async () => {
  const response = await service.getConfig(request, callBy('svc/order'));
  deepEqual(response, {
    application: 'order',
    profiles: ['default'],
    label: 'main',
    version: 'c0ffee',
    sources: [
      { name: 'https://host/config-repo/order.yml', properties: { url: 'http://${host}', port: '80' } },
    ],
    values: { url: 'http://h' },
    rejected: [{ version: 'badbad', file: 'order.yml', line: 3, reason: 'why' }],
    fetchTime: new Date(0),
    staleSince: undefined,
  });
});

test('an ADMIN reads any, whoever brings the token', async () => {
  equal((await service.getConfig(request, callBy('svc/gateway', ['ADMIN']))).version, 'c0ffee');
});

test('others are refused: other services, customers, developers by name', async () => {
  for (const call of [callBy('svc/product'), callBy('svc/gateway', ['CUSTOMER']), callBy('dev/order')])
    await rejects(service.getConfig(request, call), {
      code: status.PERMISSION_DENIED,
      reason: 'NOT_OWN_APPLICATION',
    });
});
