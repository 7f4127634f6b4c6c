/** A gateway on a real port, before real services over mutual TLS, with tokens of a real issuer. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metadata } from '@grpc/grpc-js';
import { rawToken, signingKey, startIssuer } from '#fabric/identity/issuer.fixture.ts';
import { openAuthority } from '#fabric/identity/pki.ts';
import { tokenVerifier } from '#fabric/identity/token-verifier.ts';
import type { TokenVerifier } from '#fabric/identity/token-verifier.ts';
import { readWorkloadCredentials } from '#fabric/identity/workload.ts';
import type { WorkloadCredentials } from '#fabric/identity/workload.ts';
import { openChannel } from '#fabric/rpc/channel.ts';
import type { Channel } from '#fabric/rpc/channel.ts';
import { registry } from '#fabric/rpc/descriptors.ts';
import { implement, unimplemented } from '#fabric/rpc/implement.ts';
import type { ServiceRegistration } from '#fabric/rpc/implement.ts';
import { startServer } from '#fabric/rpc/server.ts';
import type { RpcServer } from '#fabric/rpc/server.ts';
import type { Handlers, ServiceDefinition } from '#fabric/rpc/service-definition.ts';
import { createLogger } from '#fabric/telemetry/logger.ts';
import { createMetrics } from '#fabric/telemetry/metrics.ts';
import type { Metrics } from '#fabric/telemetry/metrics.ts';
import { startTracing } from '#fabric/telemetry/tracing.ts';
import { OrderServiceService } from '#gen/mercer/order/v1/order_service.ts';
import { PaymentServiceService } from '#gen/mercer/payment/v1/payment_service.ts';
import { ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import { cors } from './cors.ts';
import { createGateway } from './gateway.ts';
import { startHttpServer } from './http-server.ts';
import type { HttpServer } from './http-server.ts';
import { imageRoute } from './images.ts';
import { methodRoutes } from './method-endpoint.ts';
import { compilePlans } from './plan.ts';
import { probeRoutes } from './probes.ts';
import { createRouter } from './router.ts';
import { createUpstream } from './upstream.ts';

startTracing({ service: 'gateway', zipkinUrl: '', sampleRate: 1 });

/** What the services do; methods that are left out answer UNIMPLEMENTED. */
export type Behaviour = {
  product?: Partial<Handlers<ProductServiceService>>;
  order?: Partial<Handlers<OrderServiceService>>;
  payment?: Partial<Handlers<PaymentServiceService>>;
};

/** A shop that is open. */
export type Shop = AsyncDisposable & {
  url: string;
  http: HttpServer;
  images: string;
  token: (role: string, changes?: Record<string, unknown>) => string;
  /** Log lines so far. */
  lines: Record<string, unknown>[];
  metrics: () => Promise<string>;
  /** What the last call carried besides its message. */
  received: () => Metadata | undefined;
  stop: (service: string) => Promise<void>;
};

/** The one origin whose pages may call the shop. */
export const ORIGIN = 'https://shop.example';

/** Opens a shop with three services. */
export async function openShop(behaviour: Behaviour): Promise<Shop> {
  await using stack = new AsyncDisposableStack();
  const images = await mkdtemp(join(tmpdir(), 'mercer-gateway-'));
  stack.defer(() => rm(images, { recursive: true }));
  const key = signingKey('k1');
  const issuer = stack.use(await startIssuer([key]));
  const verifier = tokenVerifier({ issuer: issuer.url, audience: 'api://mercer', rolesClaim: 'groups' });
  const metrics = createMetrics('gateway');
  const services = await openServices(registrations(behaviour), { stack, verifier, folder: images, metrics });
  const lines: Record<string, unknown>[] = [];
  const http = await startGateway({ ...services, verifier, images, metrics, lines });
  stack.defer(() => http.drain(0));
  const everything = stack.move();
  return {
    url: `http://127.0.0.1:${http.port}`,
    http,
    images,
    lines,
    received: services.received,
    stop: services.stop,
    metrics: () => metrics.registry.metrics(),
    token: (role, changes = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      const usual = { iss: issuer.url, aud: 'api://mercer', sub: 'alice', iat: now, exp: now + 600 };
      const claims = JSON.stringify({ ...usual, groups: [role], ...changes });
      return rawToken({ alg: 'RS256', kid: 'k1' }, claims, key.privateKey);
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

type Services = Pick<Shop, 'received' | 'stop'> & { channel: (name: string) => Channel };
type Ground = { stack: AsyncDisposableStack; verifier: TokenVerifier; folder: string; metrics: Metrics };

async function openServices(
  described: Map<string, ServiceRegistration>,
  { stack, verifier, folder, metrics }: Ground,
): Promise<Services> {
  const authority = await openAuthority(join(folder, 'ca'));
  const credentialsOf = async (name: string): Promise<WorkloadCredentials> =>
    readWorkloadCredentials(await authority.issue(`svc/${name}`, { dir: folder }));
  const own = await credentialsOf('gateway');
  const servers = new Map<string, RpcServer>();
  const channels = new Map<string, Channel>();
  let received: Metadata | undefined;
  for (const [name, registration] of described) {
    const server = await startServer({
      bind: '127.0.0.1:0',
      credentials: await credentialsOf(name),
      verifier,
      registrations: [overheard(registration, (metadata) => (received = metadata))],
      log: createLogger({ service: name, instance: name, level: 'silent' }),
      metrics: createMetrics(name).rpc,
    });
    const target = `127.0.0.1:${server.port}`;
    const channel = openChannel({ target, authority: name, credentials: own, metrics: metrics.rpc });
    stack.defer(() => server.drain(0));
    stack.defer(() => channel.close());
    servers.set(name, server);
    channels.set(name, channel);
  }
  return {
    channel: (name) => channels.get(name) ?? assert.fail(`nobody serves ${name}`),
    received: () => received,
    stop: async (name) => servers.get(name)?.drain(0),
  };
}

function startGateway({
  channel,
  verifier,
  images,
  metrics,
  lines,
}: Services & Pick<Shop, 'images' | 'lines'> & Pick<Ground, 'verifier' | 'metrics'>): Promise<HttpServer> {
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  const log = createLogger({ service: 'gateway', instance: 'gateway-1', level: 'info', destination });
  const router = createRouter([
    ...probeRoutes(() => false),
    imageRoute(images),
    ...methodRoutes(registry, compilePlans(registry), { verifier, upstream: createUpstream(channel), log }),
  ]);
  const gateway = createGateway({ router, cors: cors([ORIGIN]), log, metrics });
  return startHttpServer(gateway, { bind: '127.0.0.1', port: 0, requestTimeout: 2_000 });
}

/** Sends bytes as they are and gathers all that comes back until the server closes, at most 10 s. */
export function rawExchange(shop: Shop, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(shop.http.port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end after: ${text}`)));
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.once('close', () => resolve(text)).once('error', reject);
  });
}

function registrations(behaviour: Behaviour): Map<string, ServiceRegistration> {
  return new Map([
    ['product', implement(ProductServiceService, complete(behaviour.product))],
    ['order', implement(OrderServiceService, complete(behaviour.order))],
    ['payment', implement(PaymentServiceService, complete(behaviour.payment))],
  ]);
}

/** The same service, whose calls are heard by another one too. */
function overheard(
  registration: ServiceRegistration,
  hear: (metadata: Metadata) => void,
): ServiceRegistration {
  const implementation = Object.fromEntries(
    Object.entries(registration.implementation).map(([name, handler]) => [
      name,
      (call: { metadata: Metadata }, ...rest: unknown[]) => {
        hear(call.metadata);
        Reflect.apply(handler, undefined, [call, ...rest]);
      },
    ]),
  );
  return { ...registration, implementation };
}

function complete<D extends ServiceDefinition>(given: Partial<Handlers<D>> = {}): Handlers<D> {
  const missing = (name: string) => () => Promise.reject(unimplemented(name));
  const get = (target: object, name: string | symbol): unknown =>
    Reflect.get(target, name) ?? missing(String(name));
  return new Proxy(given, { get }) as Handlers<D>;
}
