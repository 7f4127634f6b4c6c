/** Reads an order out of its rows. */
import type { Ending, Line, Money, Order } from './domain.ts';
import type { OrderRecord } from './entities.ts';
import { isReason } from './domain.ts';

/** The order of a record whose lines and history are loaded. */
export function toOrder(record: OrderRecord): Order {
  const { orderId, customerId, state, amountRefunded, paymentId, createTime, updateTime, fence } = record;
  return {
    orderId,
    customerId,
    lines: record.lines.getItems().map((line) => toLine(line, record.currencyCode)),
    total: toMoney(record.total, record.currencyCode),
    amountRefunded,
    state,
    ending: toEnding(record),
    paymentId,
    createTime,
    updateTime,
    history: record.history.getItems().map(({ state, time, note }) => ({ state, time, note })),
    fence,
  };
}

type LineRecord = ReturnType<OrderRecord['lines']['getItems']>[number];

function toLine({ productId, quantity, displayName, unitPrice }: LineRecord, currency: Currency): Line {
  return { productId, quantity, displayName, unitPrice: toMoney(unitPrice, currency) };
}

type Currency = string | null | undefined;

function toMoney(minorUnits: bigint | null | undefined, currencyCode: Currency): Money | undefined {
  return typeof minorUnits === 'bigint' && typeof currencyCode === 'string'
    ? { currencyCode, minorUnits }
    : undefined;
}

function toEnding(record: OrderRecord): Ending | undefined {
  const { endingState, endingReason, endingMessage, endingMetadata } = record;
  if (endingState === null || endingState === undefined) return undefined;
  const reason = isReason(endingReason) ? endingReason : 'INTERRUPTED';
  return { state: endingState, reason, message: endingMessage, metadata: endingMetadata };
}
