/** The tables that the order service reads through MikroORM. */
import { defineEntity, p } from '@mikro-orm/postgresql';
import type { InferEntity } from '@mikro-orm/postgresql';

const STATES = ['PENDING', 'CONFIRMED', 'FAILED', 'CANCELLED', 'REFUNDED'] as const;

/** A purchase; it is written by the guarded statements of store.ts alone. */
export const OrderEntity = defineEntity({
  name: 'Order',
  tableName: 'orders',
  properties: {
    orderId: p.uuid().primary(),
    customerId: p.text(),
    state: p.enum(STATES),
    currencyCode: p.text().nullable(),
    total: p.bigint('bigint').nullable(),
    amountRefunded: p.bigint('bigint'),
    paymentId: p.text(),
    endingState: p.enum(['FAILED', 'CANCELLED'] as const).nullable(),
    endingReason: p.text(),
    endingMessage: p.text(),
    endingMetadata: p.json<Record<string, string>>(),
    createTime: p.datetime(3),
    updateTime: p.datetime(3),
    revision: p.integer(),
    fence: p.integer(),
    lines: () => p.oneToMany(OrderLineEntity).mappedBy('order').orderBy({ position: 'asc' }),
    history: () => p.oneToMany(OrderHistoryEntity).mappedBy('order').orderBy({ sequence: 'asc' }),
  },
});

/** One product of an order. */
export const OrderLineEntity = defineEntity({
  name: 'OrderLine',
  tableName: 'order_line',
  properties: {
    order: () => p.manyToOne(OrderEntity).primary().joinColumn('order_id'),
    position: p.integer().primary(),
    productId: p.text(),
    quantity: p.integer(),
    displayName: p.text(),
    unitPrice: p.bigint('bigint').nullable(),
  },
});

/** Every state that an order was in; append-only. */
export const OrderHistoryEntity = defineEntity({
  name: 'OrderHistory',
  tableName: 'order_history',
  properties: {
    order: () => p.manyToOne(OrderEntity).primary().joinColumn('order_id'),
    sequence: p.integer().primary(),
    state: p.enum(STATES),
    time: p.datetime(3),
    note: p.text(),
  },
});

/** An order with its lines and history. */
export type OrderRecord = InferEntity<typeof OrderEntity>;

/** Everything that the ORM has to know. */
export const entities = [OrderEntity, OrderLineEntity, OrderHistoryEntity];
