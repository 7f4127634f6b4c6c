/** ListOrders: whose orders, which page. */
import { status } from '@grpc/grpc-js';
import type { PageTokens } from '#fabric/rpc/page-token.ts';
import { requireUser } from '#fabric/rpc/call-context.ts';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { ListOrdersRequest, ListOrdersResponse } from '#gen/mercer/order/v1/order_service.ts';
import { fromState, toMessage } from './order-message.ts';
import type { OrderPosition, OrderStore } from './store.ts';

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 100;

/** Newest first. An ADMIN sees all orders or those of one customer, everybody else their own. */
export async function listOrders(
  request: ListOrdersRequest,
  call: CallContext,
  { store, pageTokens }: { store: OrderStore; pageTokens: PageTokens },
): Promise<ListOrdersResponse> {
  const customerId = customerOf(request, call);
  const state = fromState(request.state);
  const query = JSON.stringify(['ListOrders', customerId, state]);
  const after = request.pageToken === '' ? undefined : position(pageTokens.read(query, request.pageToken));
  const size = Math.min(request.pageSize === 0 ? DEFAULT_PAGE : request.pageSize, LARGEST_PAGE);
  // One more than asked for tells whether there is a next page.
  const found = await store.list({ customerId, state, after, limit: size + 1 });
  const orders = found.slice(0, size);
  const last = orders.at(-1);
  const more = found.length > size && last !== undefined;
  return {
    orders: orders.map(toMessage),
    nextPageToken: more ? pageTokens.sign(query, [last.createTime.getTime(), last.orderId]) : '',
  };
}

/** Undefined stands for everybody's. Naming another customer is refused aloud: an empty list would look like an answer. */
function customerOf({ customerId }: ListOrdersRequest, call: CallContext): string | undefined {
  const { subject, roles } = requireUser(call);
  if (roles.includes('ADMIN')) return customerId === '' ? undefined : customerId;
  if (customerId === '' || customerId === subject) return subject;
  throw new StatusError(status.PERMISSION_DENIED, 'customer_id: only an ADMIN may name another customer', {
    reason: 'ACCESS_DENIED',
    metadata: { field: 'customer_id' },
  });
}

/** A position comes back as it was signed. */
function position(signed: unknown): OrderPosition {
  const [time, orderId] = signed as [number, string];
  return { createTime: new Date(time), orderId };
}
