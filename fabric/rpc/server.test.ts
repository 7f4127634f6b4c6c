/** Calls between real processes' ends: mutual TLS, access, validation, deadlines, cancellation, streams. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { OrderServiceService } from '#gen/mercer/order/v1/order_service.ts';
import { ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import { RegistryServiceService } from '#gen/mercer/registry/v1/registry_service.ts';
import { openAuthority } from '../identity/pki.ts';
import type { Principal } from '../identity/principal.ts';
import type { TokenVerifier } from '../identity/token-verifier.ts';
import { readWorkloadCredentials } from '../identity/workload.ts';
import type { WorkloadCredentials } from '../identity/workload.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { currentCall, detached, runInCall } from './call-context.ts';
import type { CallContext } from './call-context.ts';
import { openChannel } from './channel.ts';
import { connect } from './client.ts';
import { implement, unimplemented } from './implement.ts';
import type { ServiceRegistration } from './implement.ts';
import { startServer } from './server.ts';
import type { Handlers } from './service-definition.ts';
import { StatusError } from './status-error.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-rpc-'));
const authority = await openAuthority(join(directory, 'ca'));
const order = await credentialsOf('svc/order');
const product = await credentialsOf('svc/product');

/** Tokens are their subject's name here; what makes a token good is tested where tokens are verified. */
const verifier: TokenVerifier = {
  verify: (token) => {
    if (token === 'bad')
      throw new StatusError(status.UNAUTHENTICATED, 'bad token', { reason: 'TOKEN_INVALID' });
    return { issuer: 'x', subject: token, roles: [token.toUpperCase()], scopes: [], expiresAt: new Date() };
  },
};

type Products = Handlers<typeof ProductServiceService>;
let seen: CallContext | undefined;
let aborted = false;
const server = await serve(
  'product',
  implement(
    ProductServiceService,
    handlers<Products>({
      getProduct: async ({ productId }, call) => {
        seen = call;
        if (productId === 'broken') throw new Error('the password is hunter2');
        if (productId === 'hangs') {
          call.signal.addEventListener('abort', () => (aborted = true));
          await sleep(5_000, undefined, { ref: false });
        }
        return { product: undefined };
      },
      commitStock: async () => ({ results: [] }),
      async *watchProducts({ productIds }) {
        for (const productId of productIds) {
          if (productId === 'broken') throw new StatusError(status.ABORTED, 'enough', { reason: 'CONFLICT' });
          yield { product: undefined };
        }
      },
    }),
  ),
);
const channel = openChannel({ target: `127.0.0.1:${server.port}`, authority: 'product', credentials: order });
const products = connect(ProductServiceService, channel);
after(async () => {
  channel.close();
  await server.drain(1_000);
  await rm(directory, { recursive: true, force: true });
});

test('the callee sees the workload, the user, the request id and a deadline', async () => {
  await asUser('customer', () => products.getProduct({ productId: 'a' }, { timeout: 1_500 }));
  assert.equal(seen?.caller, 'svc/order');
  assert.equal(seen?.user?.subject, 'customer');
  assert.equal(seen?.requestId, 'request-1');
  const left = (seen?.deadline.getTime() ?? 0) - Date.now();
  assert.ok(left > 0 && left <= 1_500, `deadline in ${left} ms`);
});

test('a call ends 50 ms before the call that it serves', async () => {
  const call = { ...context('customer'), deadline: new Date(Date.now() + 400) };
  await runInCall(call, () => products.getProduct({ productId: 'a' }));
  assert.ok((seen?.deadline.getTime() ?? Infinity) <= call.deadline.getTime() - 40);
});

test('a method that needs a role or a caller is refused to the others before its handler runs', async () => {
  const request = { productId: 'a', etag: '' };
  await refuses(products.deleteProduct(request), status.UNAUTHENTICATED, { reason: 'TOKEN_MISSING' });
  await refuses(
    asUser('customer', () => products.deleteProduct(request)),
    status.PERMISSION_DENIED,
    { reason: 'ACCESS_DENIED' },
  );
  await refuses(
    asUser('bad', () => products.getProduct({ productId: 'a' })),
    status.UNAUTHENTICATED,
    { reason: 'TOKEN_INVALID' },
  );
  const orderIds = ['0192d5a0-0000-7000-8000-000000000000'];
  assert.deepEqual(await products.commitStock({ orderIds }), { results: [] });
  const other = openChannel({
    target: `127.0.0.1:${server.port}`,
    authority: 'product',
    credentials: product,
  });
  await refuses(connect(ProductServiceService, other).commitStock({ orderIds }), status.PERMISSION_DENIED, {
    reason: 'ACCESS_DENIED',
  });
  other.close();
});

test('a request that breaks the contract is refused naming the field', async () => {
  await refuses(products.getProduct({ productId: '' }), status.INVALID_ARGUMENT, {
    reason: 'INVALID_FIELD',
    message: /product_id/u,
  });
});

test('a throw becomes INTERNAL and tells nothing of its cause', async () => {
  await refuses(products.getProduct({ productId: 'broken' }), status.INTERNAL, {
    message: /^internal error$/u,
  });
});

test('a handler that hangs is answered at the deadline and told to stop', async () => {
  await refuses(products.getProduct({ productId: 'hangs' }, { timeout: 300 }), status.DEADLINE_EXCEEDED);
  await sleep(50);
  assert.equal(aborted, true);
});

test('cancelling the call being served cancels the calls made from it, unless detached', async () => {
  const controller = new AbortController();
  const call = { ...context('customer'), signal: controller.signal };
  const request = { productId: 'hangs' };
  const hanging = runInCall(call, () => products.getProduct(request));
  const going = runInCall(call, () => detached({ timeout: 400 }, () => products.getProduct(request)));
  setTimeout(() => controller.abort(), 50);
  await refuses(hanging, status.CANCELLED);
  await refuses(going, status.DEADLINE_EXCEEDED);
});

test('a stream yields its messages and ends with its status', async () => {
  assert.equal((await collect(products.watchProducts({ productIds: ['a', 'b'] }))).length, 2);
  await refuses(collect(products.watchProducts({ productIds: ['a', 'broken'] })), status.ABORTED, {
    reason: 'CONFLICT',
  });
});

test('a peer without a certificate of the CA does not get in', async () => {
  const foreign = await openAuthority(join(directory, 'foreign'));
  const files = await foreign.issue('svc/order', { dir: join(directory, 'foreign') });
  const stranger = { ...readWorkloadCredentials(files), ca: order.ca };
  const other = openChannel({
    target: `127.0.0.1:${server.port}`,
    authority: 'product',
    credentials: stranger,
  });
  await refuses(connect(ProductServiceService, other).getProduct({ productId: 'a' }), status.UNAVAILABLE);
  other.close();
});

test('a server that answers for another name is not believed', async () => {
  const other = openChannel({ target: `127.0.0.1:${server.port}`, authority: 'payment', credentials: order });
  await refuses(connect(ProductServiceService, other).getProduct({ productId: 'a' }), status.UNAVAILABLE);
  other.close();
});

test('a service of which nothing is implemented says so', async () => {
  const orders = await serve(
    'order',
    implement(OrderServiceService, handlers<Handlers<typeof OrderServiceService>>({})),
  );
  const other = openChannel({ target: `127.0.0.1:${orders.port}`, authority: 'order', credentials: product });
  await refuses(
    connect(OrderServiceService, other).quoteOrder({ lines: [{ productId: 'a', quantity: 1 }] }),
    status.UNIMPLEMENTED,
  );
  other.close();
  await orders.drain(1_000);
});

test('streams in both directions flow until the client ends its side', async () => {
  const registry = await serve(
    'registry',
    implement(
      RegistryServiceService,
      handlers<Handlers<typeof RegistryServiceService>>({
        async *keepAlive(requests: AsyncIterable<{ leaseId: string }>) {
          for await (const { leaseId } of requests) {
            if (leaseId === 'unknown')
              throw new StatusError(status.NOT_FOUND, 'unknown lease', { reason: 'LEASE_NOT_FOUND' });
            yield { expireTime: new Date(0) };
          }
        },
      }),
    ),
  );
  const other = openChannel({
    target: `127.0.0.1:${registry.port}`,
    authority: 'registry',
    credentials: product,
  });
  const client = connect(RegistryServiceService, other);
  assert.equal((await collect(client.keepAlive(leases('a', 'b')))).length, 2);
  await refuses(collect(client.keepAlive(leases('a', 'unknown'))), status.NOT_FOUND, {
    reason: 'LEASE_NOT_FOUND',
  });
  other.close();
  await registry.drain(1_000);
});

async function* leases(...ids: string[]): AsyncIterable<{ leaseId: string }> {
  for (const leaseId of ids) yield { leaseId };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items);
}

/** Handlers for a whole service, of which a test needs few. */
function handlers<H extends object>(given: Partial<H>): H {
  const missing = (name: string) => () => Promise.reject(unimplemented(name));
  return new Proxy(given, { get: (target, name) => Reflect.get(target, name) ?? missing(String(name)) }) as H;
}

async function serve(name: string, registration: ServiceRegistration): ReturnType<typeof startServer> {
  const started = await startServer({
    bind: '127.0.0.1:0',
    credentials: name === 'product' ? product : await credentialsOf(`svc/${name}`),
    verifier,
    registrations: [registration],
    log: pino({ level: 'silent' }),
    metrics: createMetrics(name).rpc,
  });
  started.setServing(true);
  return started;
}

async function credentialsOf(identity: string): Promise<WorkloadCredentials> {
  return readWorkloadCredentials(await authority.issue(identity, { dir: directory }));
}

function context(subject: string): CallContext {
  const user: Principal = { issuer: 'x', subject, roles: [], scopes: [], expiresAt: new Date() };
  const deadline = new Date(Date.now() + 10_000);
  const signal = new AbortController().signal;
  return {
    method: '/test',
    caller: undefined,
    user,
    token: subject,
    requestId: 'request-1',
    deadline,
    signal,
  };
}

function asUser<T>(subject: string, work: () => Promise<T>): Promise<T> {
  assert.equal(currentCall(), undefined);
  return runInCall(context(subject), work);
}

type Refusal = { reason?: string; message?: RegExp };

async function refuses(
  call: Promise<unknown>,
  code: status,
  { reason, message = /./u }: Refusal = {},
): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof StatusError, String(error));
    assert.equal(status[error.code], status[code], error.message);
    if (reason !== undefined) assert.equal(error.reason, reason);
    assert.match(error.message, message);
    return true;
  });
}
