/** The tables that the payment service reads through MikroORM. */
import { defineEntity, p } from '@mikro-orm/postgresql';
import type { InferEntity } from '@mikro-orm/postgresql';

/** The money side of one order: its charge, and what went back of it. */
export const PaymentEntity = defineEntity({
  name: 'Payment',
  tableName: 'payment',
  properties: {
    paymentId: p.uuid().primary(),
    orderId: p.uuid(),
    customerId: p.text(),
    currencyCode: p.text(),
    amountMinor: p.bigint('bigint'),
    refundClaimedMinor: p.bigint('bigint'),
    refundedMinor: p.bigint('bigint'),
    tokenDigest: p.text(),
    state: p.enum(['PENDING', 'UNDER_REVIEW', 'SUCCEEDED', 'DECLINED', 'BARRED'] as const),
    transactionId: p.text(),
    cardBrand: p.text(),
    cardLast4: p.text(),
    failureReason: p.text(),
    undone: p.boolean(),
    createTime: p.datetime(3),
    updateTime: p.datetime(3),
    refunds: () => p.oneToMany(RefundEntity).mappedBy('payment').orderBy({ refundId: 'asc' }),
  },
});

/** One return of money. */
export const RefundEntity = defineEntity({
  name: 'Refund',
  tableName: 'refund',
  properties: {
    refundId: p.uuid().primary(),
    payment: () => p.manyToOne(PaymentEntity).joinColumn('payment_id'),
    requestId: p.text(),
    amountMinor: p.bigint('bigint'),
    reason: p.text(),
    state: p.enum(['PENDING', 'SUCCEEDED'] as const),
    createTime: p.datetime(3),
  },
});

/** A payment as it is stored, with its refunds, oldest first. */
export type StoredPayment = InferEntity<typeof PaymentEntity>;

/** A refund as it is stored. */
export type StoredRefund = InferEntity<typeof RefundEntity>;

/** Everything that the ORM has to know. */
export const entities = [PaymentEntity, RefundEntity];
