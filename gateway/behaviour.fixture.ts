/** Services for tests: what they do is chosen by ids and payment tokens, and what they were asked is kept. */
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import { StatusError, badRequest } from '#fabric/rpc/status-error.ts';
import { activeTraceId } from '#fabric/telemetry/tracing.ts';
import { CreateOrderResponse } from '#gen/mercer/order/v1/order_service.ts';
import type { CreateOrderRequest } from '#gen/mercer/order/v1/order_service.ts';
import { Order_State } from '#gen/mercer/order/v1/order.ts';
import type { HandleAcquirerEventRequest } from '#gen/mercer/payment/v1/payment_service.ts';
import { GetProductResponse, ListProductsResponse } from '#gen/mercer/product/v1/product_service.ts';
import type { ListProductsRequest, UpdateProductRequest } from '#gen/mercer/product/v1/product_service.ts';
import type { Behaviour } from './gateway.fixture.ts';

/** What the services were last asked. */
export type Seen = {
  ordered?: CreateOrderRequest;
  listed?: ListProductsRequest;
  updated?: UpdateProductRequest;
  event?: HandleAcquirerEventRequest;
  call?: CallContext;
  /** The trace that the last product was read in. */
  traceId?: string | undefined;
  /** Calls that ended before their answer. */
  aborted: number;
  /** How often each flaky or busy thing was asked for. */
  attempts?: Map<string, number>;
};

/** The one product there is. */
const PHONE = {
  productId: 'phone',
  displayName: 'Phone',
  price: { currencyCode: 'USD', minorUnits: 9_007_199_254_740_993n },
  stockAvailable: 3,
  etag: '1-3',
};

/** An order that works. */
export const ORDER = { lines: [{ productId: 'phone', quantity: 1 }], paymentToken: 'tok_visa' };

/** Services that remember in `seen`. */
export function behaviour(seen: Seen): Behaviour {
  return {
    product: {
      getProduct: async ({ productId }, call) => {
        seen.call = call;
        seen.traceId = activeTraceId();
        await misbehave(productId, seen, call);
        return GetProductResponse.fromPartial({ product: PHONE });
      },
      listProducts: async (request) => {
        seen.listed = request;
        return ListProductsResponse.fromPartial({});
      },
      createProduct: async ({ product }) => ({ product }),
      updateProduct: async (request) => {
        seen.updated = request;
        if (request.product?.displayName === 'flaky') flaky('change', seen, 1);
        return { product: request.product };
      },
    },
    order: { createOrder: (request) => createOrder(request, seen) },
    payment: {
      handleAcquirerEvent: async (request) => {
        seen.event = request;
        return {};
      },
    },
  };
}

/** Counts an attempt; as many as `failures` fail as a broken connection does, without a reason. */
function flaky(what: string, seen: Seen, failures: number): void {
  seen.attempts ??= new Map();
  const attempt = (seen.attempts.get(what) ?? 0) + 1;
  seen.attempts.set(what, attempt);
  if (attempt <= failures) throw new StatusError(status.UNAVAILABLE, 'Connection dropped');
}

async function misbehave(productId: string, seen: Seen, { signal }: CallContext): Promise<void> {
  switch (productId) {
    case 'phone':
      return;
    case 'flaky':
      flaky(productId, seen, 1);
      return;
    case 'down':
      flaky(productId, seen, Infinity);
      return;
    case 'hangs':
      signal.addEventListener('abort', () => (seen.aborted += 1));
      await sleep(5_000, undefined, { ref: false });
      return;
    case 'broken':
      throw new Error('the password is hunter2');
    case 'broken-loudly':
      throw new StatusError(status.INTERNAL, 'the password is hunter2', { reason: 'TOO_FRANK' });
    case 'busy': {
      flaky(productId, seen, 0);
      const value = { retryDelay: { seconds: 7n, nanos: 1 } };
      throw new StatusError(status.UNAVAILABLE, 'try later', {
        reason: 'OVERLOADED',
        details: [{ type: 'google.rpc.RetryInfo', value }],
      });
    }
    default:
      throw new StatusError(status.NOT_FOUND, 'no such product', {
        reason: 'PRODUCT_NOT_FOUND',
        metadata: { product_id: productId },
      });
  }
}

async function createOrder(request: CreateOrderRequest, seen: Seen): Promise<CreateOrderResponse> {
  seen.ordered = request;
  switch (request.paymentToken) {
    case 'tok_declined':
      throw new StatusError(status.FAILED_PRECONDITION, 'declined', { reason: 'PAYMENT_DECLINED' });
    case 'tok_reused':
      throw new StatusError(status.FAILED_PRECONDITION, 'reused', { reason: 'IDEMPOTENCY_KEY_REUSED' });
    case 'tok_field':
      throw badRequest('lines[0].product_id', 'is wrong');
    case 'tok_flaky':
      flaky(request.requestId, seen, 1);
      break;
    case 'tok_slow':
      await sleep(2_500);
      break;
    default:
  }
  const state =
    request.paymentToken === 'tok_async' ? Order_State.STATE_PENDING : Order_State.STATE_CONFIRMED;
  return CreateOrderResponse.fromPartial({ order: { orderId: 'o 1', state } });
}
