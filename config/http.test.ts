/** Spring Cloud Config's HTTP interface over a real port. */
import { deepEqual, equal } from 'node:assert/strict';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { ConfigurationName } from './configuration.ts';
import { startConfigHttp } from './http.ts';
import { parseYaml } from './yaml-file.ts';

const asked: ConfigurationName[] = [];
const http = await startConfigHttp({
  bind: '127.0.0.1',
  port: 0,
  repository: 'https://host/org/config-repo',
  log: pino({ enabled: false }),
  read: async (name) => {
    asked.push(name);
    if (name.label === 'nope') throw new StatusError(status.NOT_FOUND, 'no', { reason: 'LABEL_NOT_FOUND' });
    if (name.label === 'broken') throw new Error('the password is hunter2');
    return {
      application: name.application,
      profiles: name.profile.split(','),
      label: name.label || 'main',
      version: 'c0ffee',
      files: [parseYaml('foo-dev.yml', 'bar: spam\nport: 8080'), parseYaml('application.yml', 'foo: ${bar}')],
      values: new Map(),
      rejected: [],
      fetchTime: undefined,
      staleSince: undefined,
    };
  },
});
after(() => http.close());

type Answer = { status: number; type: string | null; body: unknown };

async function get(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${http.port}${path}`, init);
  const body: unknown = init.method === 'HEAD' ? undefined : await response.json();
  return { status: response.status, type: response.headers.get('content-type'), body };
}

function reasonOf({ body }: Answer): unknown {
  return (body as { error: { details: { reason: string }[] } }).error.details[0]?.reason;
}

test("the answer is Spring's Environment, placeholders as written and numbers as numbers", async () => {
  deepEqual(await get('/foo/development'), {
    status: 200,
    type: 'application/json',
    body: {
      name: 'foo',
      profiles: ['development'],
      label: 'main',
      version: 'c0ffee',
      state: null,
      propertySources: [
        { name: 'https://host/org/config-repo/foo-dev.yml', source: { bar: 'spam', port: 8080 } },
        { name: 'https://host/org/config-repo/application.yml', source: { foo: '${bar}' } },
      ],
    },
  });
});

test("Spring's own media type has each value with its origin", async () => {
  const type = 'application/vnd.spring-cloud.config-server.v2+json';
  const answer = await get('/foo/development', { headers: { accept: `${type}, application/json` } });
  const { propertySources } = answer.body as { propertySources: { source: Record<string, unknown> }[] };
  equal(answer.type, type);
  deepEqual(propertySources[0]?.source['port'], {
    value: 8080,
    origin: 'https://host/org/config-repo/foo-dev.yml:2:7',
  });
});

test('a label may hold slashes, written (_)', async () => {
  await get('/foo/dev,eu/feature(_)x');
  deepEqual(asked.at(-1), { application: 'foo', profile: 'dev,eu', label: 'feature/x' });
  await get('/foo/dev/feature%28_%29y?x=1');
  equal(asked.at(-1)?.label, 'feature/y');
});

test('a label that names no commit is 404 in the common error shape', async () => {
  deepEqual(await get('/foo/dev/nope'), {
    status: 404,
    type: 'application/json',
    body: {
      error: {
        code: 404,
        status: 'NOT_FOUND',
        message: 'no',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'LABEL_NOT_FOUND',
            domain: 'mercer',
            metadata: {},
          },
        ],
      },
    },
  });
});

test('other paths are 404', async () => {
  for (const path of ['/', '/foo', '/favicon.ico', '/foo/dev/main/file.txt', '/main/foo-dev.yml']) {
    const answer = await get(path);
    deepEqual([answer.status, reasonOf(answer)], [404, 'ROUTE_NOT_FOUND'], path);
  }
});

test('odd names are 400, and reach no repository', async () => {
  const before = asked.length;
  const paths = [
    '/foo/dev/a..b',
    '/foo/dev/..%2f..%2fetc',
    '/%2e%2e%2ffoo/dev',
    '/foo(_)bar/dev',
    '/foo/dev%00',
    '/foo/%E0%A4%A',
    '/-foo/dev',
    '/foo/dev/--upload-pack=x',
    '/foo/dev/main%23x',
    `/foo/${'x'.repeat(2_100)}`,
  ];
  for (const path of paths) equal((await get(path)).status, 400, path);
  equal(asked.length, before);
});

test('an unforeseen failure is 500 and tells nothing', async () => {
  const answer = await get('/foo/dev/broken');
  equal(answer.status, 500);
  equal(JSON.stringify(answer.body).includes('hunter2'), false);
});

test('HEAD is answered, other methods are 405 with Allow', async () => {
  equal((await get('/foo/dev', { method: 'HEAD' })).status, 200);
  const response = await fetch(`http://127.0.0.1:${http.port}/foo/dev`, { method: 'POST', body: 'x' });
  deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD']);
});
