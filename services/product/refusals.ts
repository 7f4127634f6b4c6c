/** How the refusals of stock leave the service: code, reason and details. */
import { status } from '@grpc/grpc-js';
import { badRequest, StatusError } from '#fabric/rpc/status-error.ts';
import type { Refusal } from './domain.ts';

/** The status of a refusal. */
export function refused(refusal: Refusal): StatusError {
  switch (refusal.reason) {
    case 'OUT_OF_STOCK':
      return outOfStock(refusal);
    case 'STOCK_LIMIT':
      return badRequest('delta', `at most ${refusal.most} units may be in stock`);
    case 'PRODUCT_NOT_FOUND':
      return productNotFound(refusal.productId);
    case 'PRODUCT_ARCHIVED':
      return productArchived(refusal.productId);
    case 'MIXED_CURRENCIES':
      return new StatusError(status.INVALID_ARGUMENT, 'all lines must be in one currency', {
        reason: 'MIXED_CURRENCIES',
        metadata: { currencies: refusal.currencies.join(',') },
      });
    case 'RESERVATION_BARRED':
      return ofOrder(refusal.orderId, {
        reason: 'RESERVATION_BARRED',
        message: 'the order was released, it cannot reserve any more',
      });
    case 'RESERVATION_MISMATCH':
      return ofOrder(refusal.orderId, {
        reason: 'RESERVATION_MISMATCH',
        message: 'the order has reserved other lines',
      });
    case 'RESERVATION_NOT_FOUND':
      return ofOrder(refusal.orderId, {
        code: status.NOT_FOUND,
        reason: 'RESERVATION_NOT_FOUND',
        message: 'the order has reserved nothing',
      });
    case 'RESERVATION_RELEASED':
      return ofOrder(refusal.orderId, {
        reason: 'RESERVATION_RELEASED',
        message: 'the reservation was released',
      });
    case 'RESERVATION_EXPIRED':
      return ofOrder(refusal.orderId, {
        reason: 'RESERVATION_EXPIRED',
        message: 'the reservation ran out and its goods went to another order',
      });
  }
}

/** NOT_FOUND naming the product. */
export function productNotFound(productId: string): StatusError {
  return new StatusError(status.NOT_FOUND, `there is no product ${productId}`, {
    reason: 'PRODUCT_NOT_FOUND',
    metadata: { product_id: productId },
  });
}

/** FAILED_PRECONDITION naming the product. */
export function productArchived(productId: string): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, `product ${productId} is archived`, {
    reason: 'PRODUCT_ARCHIVED',
    metadata: { product_id: productId },
  });
}

function outOfStock(refusal: { productId: string; requested: number; available: number }): StatusError {
  const { productId, requested, available } = refusal;
  const description = `${requested} asked for, ${available} available`;
  const violations = [{ type: 'STOCK', subject: `products/${productId}`, description }];
  return new StatusError(status.FAILED_PRECONDITION, `product ${productId} is out of stock: ${description}`, {
    reason: 'OUT_OF_STOCK',
    metadata: { product_id: productId, requested: String(requested), available: String(available) },
    details: [{ type: 'google.rpc.PreconditionFailure', value: { violations } }],
  });
}

function ofOrder(
  orderId: string,
  options: { code?: status; reason: Refusal['reason']; message: string },
): StatusError {
  const { code = status.FAILED_PRECONDITION, reason, message } = options;
  return new StatusError(code, message, { reason, metadata: { order_id: orderId } });
}
