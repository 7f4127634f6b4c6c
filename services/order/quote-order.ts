/** QuoteOrder: prices lines by the catalogue as it stands, and writes nothing. */
import type { ServiceClient } from '#fabric/rpc/service-definition.ts';
import type { QuoteOrderRequest, QuoteOrderResponse } from '#gen/mercer/order/v1/order_service.ts';
import { Product_State } from '#gen/mercer/product/v1/product.ts';
import type { Product } from '#gen/mercer/product/v1/product.ts';
import { BatchGetProductsRequest } from '#gen/mercer/product/v1/product_service.ts';
import type { ProductServiceService } from '#gen/mercer/product/v1/product_service.ts';
import { quote } from './pricing.ts';
import type { Offer } from './pricing.ts';
import { refused } from './refusals.ts';

/** Prices the lines and says what is short; refused as CreateOrder would refuse the same lines. */
export async function quoteOrder(
  products: Pick<ServiceClient<ProductServiceService>, 'batchGetProducts'>,
  { lines }: QuoteOrderRequest,
): Promise<QuoteOrderResponse> {
  const request = BatchGetProductsRequest.fromPartial({ productIds: lines.map((line) => line.productId) });
  const answer = await products.batchGetProducts(request);
  const quoted = quote(lines, answer.products.flatMap(toOffer));
  if ('refusal' in quoted) throw refused(quoted.refusal);
  return quoted;
}

function toOffer({ productId, price, stockAvailable, state }: Product): Offer[] {
  if (price === undefined) return [];
  return [{ productId, unitPrice: price, stockAvailable, sold: state === Product_State.STATE_ACTIVE }];
}
