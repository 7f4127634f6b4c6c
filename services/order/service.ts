/** The RPCs of OrderService: contract to domain and back, each order shown to its owner alone. */
import { status } from '@grpc/grpc-js';
import type { Database } from '#fabric/data/database.ts';
import { keyedRequest, untilAnswered } from '#fabric/data/idempotency.ts';
import type { Codec, KeyedRequest } from '#fabric/data/idempotency.ts';
import { detached, ownedBy, requireUser } from '#fabric/rpc/call-context.ts';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import type { PageTokens } from '#fabric/rpc/page-token.ts';
import type { Handlers, ServiceClient } from '#fabric/rpc/service-definition.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import {
  CancelOrderRequest,
  CancelOrderResponse,
  CreateOrderRequest,
  RefundOrderRequest,
  RefundOrderResponse,
} from '#gen/mercer/order/v1/order_service.ts';
import type { CreateOrderResponse, OrderServiceService } from '#gen/mercer/order/v1/order_service.ts';
import type { Order as OrderMessage } from '#gen/mercer/order/v1/order.ts';
import type { ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import type { Counter } from './checkout.ts';
import { purchaseOutcome } from './domain.ts';
import type { Order } from './domain.ts';
import { listOrders } from './list-orders.ts';
import { toMessage } from './order-message.ts';
import { quoteOrder } from './quote-order.ts';
import { refused } from './refusals.ts';
import type { SagaWork } from './saga.ts';
import { cancel, refund } from './taking-back.ts';
import { watch } from './watch.ts';

/** What the service stands on. */
export type OrderServiceOptions = {
  database: Database;
  work: SagaWork;
  counter: Counter;
  products: Pick<ServiceClient<ProductServiceService>, 'batchGetProducts'>;
  pageTokens: PageTokens;
};

/** How long an undo or a refund goes on when its caller has left, in ms. */
const UNDO_TIMEOUT = 20_000;

/** Handlers for every RPC of OrderService. */
export function orderService(options: OrderServiceOptions): Handlers<OrderServiceService> {
  const { work, products, pageTokens } = options;
  const { store } = work;

  async function visible(orderId: string, call: CallContext): Promise<Order> {
    const order = await store.find(orderId);
    if (order === undefined || !ownedBy(call, order.customerId)) throw notFound(orderId);
    return order;
  }

  return {
    createOrder: (request, call) => createOrder(options.counter, request, call),
    quoteOrder: (request) => quoteOrder(products, request),
    getOrder: async ({ orderId }, call) => ({ order: toMessage(await visible(orderId, call)) }),
    listOrders: (request, call) => listOrders(request, call, { store, pageTokens }),
    cancelOrder: (request, call) => {
      const keyed = keyedRequest(call, request.requestId, canonical(CancelOrderRequest, request));
      return takeBack(options, { request: keyed, response: CancelOrderResponse }, async () =>
        cancel(await visible(request.orderId, call), request.reason, work),
      );
    },
    refundOrder: (request, call) => {
      const { orderId, amount, reason, requestId } = request;
      const keyed = keyedRequest(call, requestId, canonical(RefundOrderRequest, request));
      return takeBack(options, { request: keyed, response: RefundOrderResponse }, async () =>
        refund(await visible(orderId, call), { amount, reason, request: keyed }, work),
      );
    },
    watchOrder: async function* ({ orderId }, call) {
      const first = await visible(orderId, call);
      const look = (): Promise<Order | undefined> => store.find(orderId);
      for await (const order of watch(first, look, call)) yield { order: toMessage(order) };
    },
  };
}

async function createOrder(
  counter: Counter,
  request: CreateOrderRequest,
  call: CallContext,
): Promise<CreateOrderResponse> {
  const keyed = keyedRequest(call, request.requestId, canonical(CreateOrderRequest, request));
  const asked = {
    customerId: requireUser(call).subject,
    items: request.lines,
    paymentToken: request.paymentToken,
    expectedTotal: request.expectedTotal,
  };
  const outcome = purchaseOutcome(await counter.place(asked, keyed, call.deadline));
  if ('refusal' in outcome) throw refused(outcome.refusal);
  return { order: toMessage(outcome.order) };
}

type OrderResponse = { order: OrderMessage | undefined };

/** Undoing goes on when its caller leaves: money that is on its way back must arrive. */
function takeBack(
  { database }: OrderServiceOptions,
  { request, response }: { request: KeyedRequest; response: Codec<OrderResponse> },
  work: () => Promise<Order>,
): Promise<OrderResponse> {
  return detached({ timeout: UNDO_TIMEOUT }, () =>
    untilAnswered(database, { request, response, work: async () => ({ order: toMessage(await work()) }) }),
  );
}

/** The encoding of a request without its key; field numbers make it the same for every sender. */
function canonical<R extends { requestId: string }>(
  codec: { encode(request: R): { finish(): Uint8Array } },
  request: R,
): Uint8Array {
  return codec.encode({ ...request, requestId: '' }).finish();
}

function notFound(orderId: string): StatusError {
  return new StatusError(status.NOT_FOUND, `there is no order ${orderId}`, {
    reason: 'ORDER_NOT_FOUND',
    metadata: { order_id: orderId },
  });
}
