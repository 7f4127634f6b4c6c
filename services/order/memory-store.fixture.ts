/** Orders in memory by the rules of the order store, with leases that end when a test says so. */
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { enter } from './domain.ts';
import type { Order, State } from './domain.ts';
import type { RefundStore } from './refund-store.ts';
import type { NewOrder, OrderStore } from './store.ts';

/** What the purchase and recovery use of a store. */
export type MemoryStore = Omit<OrderStore, 'list' | 'begin' | keyof RefundStore> & {
  begin(order: NewOrder): Order;
  /** Every lease ends, as if time had passed: also that of a call which is still at work. */
  lapse(): void;
};

/** A store of its own. */
export function memoryStore(): MemoryStore {
  const orders = new Map<string, Order>();
  const leased = new Set<string>();
  const time = new Date(0);

  function write(order: Order, change: Partial<Order>): Promise<Order> {
    const now = orders.get(order.orderId);
    if (now?.state !== order.state || now.fence !== order.fence) throw superseded();
    orders.set(order.orderId, { ...now, ...change });
    leased.add(order.orderId);
    return Promise.resolve({ ...order, ...change });
  }

  function take(orderId: string): Order | undefined {
    const order = orders.get(orderId);
    if (order === undefined || leased.has(orderId) || !isUnfinished(order)) return undefined;
    const taken = { ...order, fence: order.fence + 1 };
    orders.set(orderId, taken);
    leased.add(orderId);
    return taken;
  }

  return {
    begin({ orderId, customerId, items }) {
      const order: Order = {
        orderId,
        customerId,
        lines: items.map((item) => ({ ...item, displayName: '', unitPrice: undefined })),
        total: undefined,
        amountRefunded: 0n,
        state: 'PENDING',
        ending: undefined,
        paymentId: '',
        createTime: time,
        updateTime: time,
        history: [{ state: 'PENDING', time, note: '' }],
        fence: 1,
      };
      orders.set(orderId, order);
      leased.add(orderId);
      return order;
    },
    takeOver: async (orderId) => take(orderId),
    takeOverDue: async (limit) =>
      [...orders.keys()]
        .flatMap((orderId) => take(orderId) ?? [])
        .slice(0, limit)
        .map((order) => ({ order, attempts: 1 })),
    renew: () => Promise.resolve(),
    recordPrices: async (order, prices) => write(order, prices),
    async rest(order) {
      const rested = await write(order, { paymentId: order.paymentId });
      leased.delete(order.orderId);
      return rested;
    },
    confirm: async (order) => write(order, entered(order, 'CONFIRMED')),
    async decide(order, ending) {
      if (orders.get(order.orderId)?.ending !== undefined) throw superseded();
      await write(order, { ending, fence: order.fence + 1 });
      return orders.get(order.orderId) ?? order;
    },
    async end(order) {
      if (order.ending === undefined) throw new Error('an order ends only as it was decided');
      return write(order, entered(order, order.ending.state));
    },
    find: async (orderId) => orders.get(orderId),
    backlog: async () => ({ unfinished: [...orders.values()].filter(isUnfinished).length, parked: 0 }),
    lapse: () => leased.clear(),
  };
}

function entered(order: Order, entering: State): Partial<Order> {
  const { state, history } = enter(order, { state: entering, time: new Date(0), note: '' });
  return { state, history, paymentId: order.paymentId, amountRefunded: order.amountRefunded };
}

function isUnfinished({ state, ending }: Order): boolean {
  return state === 'PENDING' || (ending !== undefined && state !== ending.state);
}

function superseded(): StatusError {
  return new StatusError(status.ABORTED, 'another call has this order in hand', {
    reason: 'ORDER_SUPERSEDED',
  });
}
