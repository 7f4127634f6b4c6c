/** An order as the contract's message. */
import { Order_State } from '#gen/mercer/order/v1/order.ts';
import type { Order as OrderMessage, OrderLine } from '#gen/mercer/order/v1/order.ts';
import type { Line, Order, State } from './domain.ts';
import { lineTotal } from './pricing.ts';

/** The message of an order as it stands. */
export function toMessage(order: Order): OrderMessage {
  const { orderId, customerId, total, state, ending, paymentId, createTime, updateTime } = order;
  return {
    orderId,
    customerId,
    lines: order.lines.map(toLine),
    total,
    amountRefunded: total === undefined ? undefined : { ...total, minorUnits: order.amountRefunded },
    state: toState(state),
    failureReason: state === 'FAILED' ? (ending?.reason ?? '') : '',
    paymentId,
    createTime,
    updateTime,
    history: order.history.map(({ state, time, note }) => ({ state: toState(state), time, note })),
  };
}

/** The state that a list is filtered by; undefined for STATE_UNSPECIFIED. */
export function fromState(message: Order_State): State | undefined {
  return STATES.find((state) => toState(state) === message);
}

const STATES: readonly State[] = ['PENDING', 'CONFIRMED', 'FAILED', 'CANCELLED', 'REFUNDED'];

function toState(state: State): Order_State {
  return Order_State[`STATE_${state}`];
}

function toLine({ productId, displayName, quantity, unitPrice }: Line): OrderLine {
  const total = unitPrice === undefined ? undefined : lineTotal({ quantity, unitPrice });
  return { productId, displayName, quantity, unitPrice, lineTotal: total };
}
