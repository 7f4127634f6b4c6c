/** The rules of stock, which one snapshot of the product database shows at every instant. */
import type { Counts, Movement, Reservation, ReservedLine, Shelf } from '../books.ts';
import { sum } from './amount.ts';
import { eachEntity, when } from './check.ts';
import type { Check } from './check.ts';

const NOTHING: Counts = { available: 0n, reserved: 0n, sold: 0n, delivered: 0n };

/** All of them. */
export const STOCK_CHECKS: readonly Check[] = [
  {
    id: 'stock-floor',
    says: 'available, reserved and sold are never below zero',
    look: ({ shelves }) => eachEntity(shelves, productName, belowZero),
  },
  {
    id: 'stock-balance',
    says: 'all that was delivered is available, reserved or sold',
    look: ({ shelves }) => eachEntity(shelves, productName, unbalanced),
  },
  {
    id: 'stock-ledger',
    says: 'the sums of the stock ledger are the stock',
    look: ({ shelves }) => eachEntity(shelves, productName, unposted),
  },
  {
    id: 'stock-reservations',
    says: 'reserved and sold units are those of reservations',
    look: ({ shelves, reservations }) => {
      const claims = claimsOf(reservations);
      return eachEntity(shelves, productName, (shelf) => unclaimed(shelf, claims.get(shelf.productId) ?? []));
    },
  },
  {
    id: 'reservation-ledger',
    says: 'each reserved line moved what it says',
    look: ({ reservations, movements }) => eachEntity(linesOf(reservations, movements), lineName, misplaced),
  },
];

function productName({ productId }: { productId: string }): string {
  return `product ${productId}`;
}

function belowZero({ row = NOTHING }: Shelf): string[] {
  const { available, reserved, sold } = row;
  return Object.entries({ available, reserved, sold }).flatMap(([name, units]) =>
    when(units < 0n, `${units} ${name}`),
  );
}

function unbalanced({ row = NOTHING }: Shelf): string[] {
  const { available, reserved, sold, delivered } = row;
  const accounted = available + reserved + sold;
  const says = `${delivered} delivered, but ${available} available + ${reserved} reserved + ${sold} sold = ${accounted}`;
  return when(accounted !== delivered, says);
}

function unposted({ row, posted = NOTHING }: Shelf): string[] {
  if (row === undefined) return ['in the ledger, but not in stock'];
  return (['available', 'reserved', 'sold', 'delivered'] as const).flatMap((name) =>
    when(row[name] !== posted[name], `${row[name]} ${name}, but the ledger says ${posted[name]}`),
  );
}

/** A line and the state of its reservation. */
type Claim = ReservedLine & { state: Reservation['state'] };

function claimsOf(reservations: readonly Reservation[]): Map<string, Claim[]> {
  const claims = reservations.flatMap(({ state, lines }) => lines.map((line) => ({ ...line, state })));
  return Map.groupBy(claims, ({ productId }) => productId);
}

function unclaimed({ row = NOTHING }: Shelf, claims: readonly Claim[]): string[] {
  const held = sum(claims.filter((claim) => claim.held).map(({ quantity }) => quantity));
  const sold = sum(claims.filter(({ state }) => state === 'COMMITTED').map(({ quantity }) => quantity));
  return [
    ...when(row.reserved !== held, `${row.reserved} reserved, but reservations hold ${held}`),
    ...when(row.sold !== sold, `${row.sold} sold, but committed reservations have ${sold}`),
  ];
}

/** What an order has of a product by its reservation, and by the ledger. */
type LedgerLine = {
  orderId: string;
  productId: string;
  claim: Claim | undefined;
  moved: Movement | undefined;
};

function linesOf(reservations: readonly Reservation[], movements: readonly Movement[]): LedgerLine[] {
  const lines = new Map<string, LedgerLine>();
  for (const { orderId, state, lines: reserved } of reservations) {
    for (const line of reserved) {
      const { productId } = line;
      const claim = { ...line, state };
      lines.set(`${orderId} ${productId}`, { orderId, productId, claim, moved: undefined });
    }
  }
  for (const moved of movements) {
    const { orderId, productId } = moved;
    const name = `${orderId} ${productId}`;
    lines.set(name, { ...(lines.get(name) ?? { orderId, productId, claim: undefined }), moved });
  }
  return [...lines.values()];
}

function lineName({ orderId, productId }: LedgerLine): string {
  return `order ${orderId}, product ${productId}`;
}

function misplaced({ claim, moved }: LedgerLine): string[] {
  const { reserved, sold } = moved ?? NOTHING;
  const due = dueOf(claim);
  return [
    ...when(claim?.held === true && claim.state !== 'HELD', `held, but the reservation is ${claim?.state}`),
    ...when(reserved !== due.reserved, `${due.reserved} reserved, but the ledger says ${reserved}`),
    ...when(sold !== due.sold, `${due.sold} sold, but the ledger says ${sold}`),
  ];
}

function dueOf(claim: Claim | undefined): { reserved: bigint; sold: bigint } {
  if (claim === undefined) return NOTHING;
  return {
    reserved: claim.held ? claim.quantity : 0n,
    sold: claim.state === 'COMMITTED' ? claim.quantity : 0n,
  };
}
