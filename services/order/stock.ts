/** The stock of an order, as the product service holds it: reserve, commit, release, each idempotent by order id. */
import { StatusError } from '#fabric/rpc/status-error.ts';
import { unpackDetails } from '#fabric/rpc/status-details.ts';
import type { ServiceClient } from '#fabric/rpc/service-definition.ts';
import {
  CommitStockRequest,
  ReleaseStockRequest,
  ReserveStockRequest,
} from '#gen/mercer/product/v1/product_service.ts';
import type { ProductServiceService, StockResult } from '#gen/mercer/product/v1/product_service.ts';
import type { Order } from './domain.ts';
import { insist } from './insist.ts';
import type { PricedLine } from './pricing.ts';

/** What a purchase does with stock. A "no" is a refusal; anything else leaves the outcome open. */
export type Stock = {
  /** Holds the goods of an order and names their prices. */
  reserve(order: Order): Promise<PricedLine[]>;
  /** Turns what is held into a sale. */
  commit(orderId: string): Promise<void>;
  /** Brings back what is held or was sold; an order that holds nothing is barred from reserving later. */
  release(orderId: string): Promise<void>;
};

/** In ms, for one attempt. */
const TIMEOUT = 2_000;

/** The product service's part of a purchase. */
export function stockOf(
  products: Pick<ServiceClient<ProductServiceService>, 'reserveStock' | 'commitStock' | 'releaseStock'>,
): Stock {
  return {
    async reserve({ orderId, lines }) {
      const request = ReserveStockRequest.fromPartial({ orderId, lines: lines.map(toItem) });
      const reserved = await insist(() => products.reserveStock(request, { timeout: TIMEOUT }));
      return reserved.lines.map(({ unitPrice, ...line }) => ({ ...line, unitPrice: known(unitPrice) }));
    },
    async commit(orderId) {
      const request = CommitStockRequest.fromPartial({ orderIds: [orderId] });
      await insist(async () => settled(await products.commitStock(request, { timeout: TIMEOUT })));
    },
    async release(orderId) {
      const request = ReleaseStockRequest.fromPartial({ orderIds: [orderId] });
      await insist(async () => settled(await products.releaseStock(request, { timeout: TIMEOUT })));
    },
  };
}

function toItem({ productId, quantity }: Order['lines'][number]): { productId: string; quantity: number } {
  return { productId, quantity };
}

/** Throws what a batch of one order says of it. */
function settled({ results: [result] }: { results: StockResult[] }): void {
  const outcome = known(known(result).status);
  if (outcome.code === 0) return;
  const { info, details } = unpackDetails(outcome);
  const named = info === undefined ? {} : { reason: info.reason, metadata: info.metadata };
  throw new StatusError(outcome.code, outcome.message, { ...named, details });
}

/** What the contract always answers; without it the outcome is open. */
function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the product service left out what its contract promises');
  return value;
}
