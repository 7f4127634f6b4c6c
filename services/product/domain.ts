/** The rules of stock, pure: who gets how many, and what each step does to the shelf. */

/** Units of one product. */
export type Line = { productId: string; quantity: number };

/** A product as it stands on the shelf while its stock row is locked. */
export type Offer = {
  displayName: string;
  archived: boolean;
  currencyCode: string;
  /** Minor units. */
  unitPrice: bigint;
  /** Units that can be reserved now. */
  available: number;
};

/** The shelf by product id. */
export type Shelf = ReadonlyMap<string, Offer>;

/** A line with the name and price it was reserved at. */
export type PricedLine = Line & { displayName: string; currencyCode: string; unitPrice: bigint };

/** Why stock cannot be moved for an order. */
export type Refusal =
  | { reason: 'STOCK_LIMIT'; productId: string; most: number }
  | { reason: 'OUT_OF_STOCK'; productId: string; requested: number; available: number }
  | { reason: 'PRODUCT_NOT_FOUND' | 'PRODUCT_ARCHIVED'; productId: string }
  | { reason: 'MIXED_CURRENCIES'; currencies: string[] }
  | { reason: 'RESERVATION_BARRED' | 'RESERVATION_MISMATCH' | 'RESERVATION_NOT_FOUND'; orderId: string }
  | { reason: 'RESERVATION_RELEASED' | 'RESERVATION_EXPIRED'; orderId: string };

/** An order that asks for stock. */
export type Demand = { orderId: string; lines: Line[] };

/** What an order gets: all of its lines, or none. */
export type Allocation = { orderId: string } & ({ lines: PricedLine[] } | { refusal: Refusal });

/** What one step does to available, reserved and sold, by unit; all but a delivery leave the sum as it is. */
const EFFECTS = {
  /** Goods arrive; a negative quantity corrects the count. */
  DELIVER: { available: 1, reserved: 0, sold: 0 },
  RESERVE: { available: -1, reserved: 1, sold: 0 },
  /** The reservation ran out, and another order needs the units. */
  EXPIRE: { available: 1, reserved: -1, sold: 0 },
  RELEASE: { available: 1, reserved: -1, sold: 0 },
  COMMIT: { available: 0, reserved: -1, sold: 1 },
  /** Commits units whose reservation had run out: reserved again and sold in one step. */
  RECOMMIT: { available: -1, reserved: 0, sold: 1 },
  /** Sold units come back to the shelf. */
  RETURN: { available: 1, reserved: 0, sold: -1 },
} as const;

/** A step of stock, as the ledger names it. */
export type MovementKind = keyof typeof EFFECTS;

/** One row of the stock ledger: signed changes of what is available, reserved and sold. */
export type Movement = {
  productId: string;
  orderId: string | null;
  kind: MovementKind;
  available: number;
  reserved: number;
  sold: number;
};

/** A reservation as it is stored. */
export type Reservation = {
  orderId: string;
  state: 'HELD' | 'COMMITTED' | 'RELEASED' | 'BARRED';
  lines: ReservedLine[];
};

/** A line of a reservation; `held` while its units count as reserved. */
export type ReservedLine = PricedLine & { held: boolean; expireTime: Date };

/** The most units of one product that may stand on the shelf. */
const MOST_AVAILABLE = 1_000_000_000;

/** The movement that a step makes of a line. */
export function movement(kind: MovementKind, line: Line, orderId: string | null): Movement {
  const { available, reserved, sold } = EFFECTS[kind];
  return {
    productId: line.productId,
    orderId,
    kind,
    available: available * line.quantity,
    reserved: reserved * line.quantity,
    sold: sold * line.quantity,
  };
}

/** Adds units to the shelf, or takes some away; never below zero, nor above what a shelf may hold. */
export function adjust(delta: Line, available: number): { movement: Movement } | { refusal: Refusal } {
  const { productId, quantity } = delta;
  if (available + quantity < 0)
    return { refusal: { reason: 'OUT_OF_STOCK', productId, requested: -quantity, available } };
  if (available + quantity > MOST_AVAILABLE)
    return { refusal: { reason: 'STOCK_LIMIT', productId, most: MOST_AVAILABLE } };
  return { movement: movement('DELIVER', delta, null) };
}

/**
 * Serves the demands in turn from what the shelf holds. An order gets all of its lines or none, and one
 * that is refused takes nothing from those after it.
 */
export function allocate(demands: readonly Demand[], shelf: Shelf): Allocation[] {
  const left = new Map([...shelf].map(([productId, offer]) => [productId, offer.available]));
  return demands.map(({ orderId, lines }) => {
    const refusal = refuse(lines, shelf, left);
    if (refusal !== undefined) return { orderId, refusal };
    for (const line of lines) take(left, line);
    return { orderId, lines: lines.flatMap((line) => priceFrom(shelf, line)) };
  });
}

/** Answers a repeated demand from the reservation that the first one made; the order of lines does not matter. */
export function repeat({ orderId, lines }: Demand, first: Reservation): Allocation {
  if (first.state === 'RELEASED' || first.state === 'BARRED')
    return { orderId, refusal: { reason: 'RESERVATION_BARRED', orderId } };
  const same = lines.flatMap(({ productId, quantity }) =>
    first.lines.filter((line) => line.productId === productId && line.quantity === quantity),
  );
  if (same.length !== lines.length || same.length !== first.lines.length)
    return { orderId, refusal: { reason: 'RESERVATION_MISMATCH', orderId } };
  return { orderId, lines: same.map((line) => price(line, line)) };
}

/** What committing does: the movements that make the units sold, or why they cannot be. */
export type Settlement = { orderId: string } & ({ movements: Movement[] } | { refusal: Refusal });

/**
 * Commits reservations in turn. Lines that are still held are simply sold; those whose units went back to
 * the shelf are taken from it again, all of them or the order is refused. A committed order stays as it is.
 */
export function commit(
  reservations: readonly Reservation[],
  available: ReadonlyMap<string, number>,
): Settlement[] {
  const left = new Map(available);
  return reservations.map((reservation) => commitOne(reservation, left));
}

/** The movements that bring a reservation's units back to the shelf; none when there is nothing to bring. */
export function release({ orderId, state, lines }: Reservation): Movement[] {
  if (state === 'COMMITTED') return lines.map((line) => movement('RETURN', line, orderId));
  return lines.filter((line) => line.held).map((line) => movement('RELEASE', line, orderId));
}

function commitOne({ orderId, state, lines }: Reservation, left: Map<string, number>): Settlement {
  if (state === 'COMMITTED') return { orderId, movements: [] };
  if (state !== 'HELD') return { orderId, refusal: { reason: 'RESERVATION_RELEASED', orderId } };
  const lost = lines.filter((line) => !line.held);
  if (lost.some((line) => line.quantity > (left.get(line.productId) ?? 0)))
    return { orderId, refusal: { reason: 'RESERVATION_EXPIRED', orderId } };
  for (const line of lost) take(left, line);
  return {
    orderId,
    movements: lines.map((line) => movement(line.held ? 'COMMIT' : 'RECOMMIT', line, orderId)),
  };
}

function refuse(
  lines: readonly Line[],
  shelf: Shelf,
  left: ReadonlyMap<string, number>,
): Refusal | undefined {
  return refuseProduct(lines, shelf) ?? refuseCurrencies(lines, shelf) ?? refuseQuantity(lines, left);
}

function refuseProduct(lines: readonly Line[], shelf: Shelf): Refusal | undefined {
  const unknown = lines.find((line) => !shelf.has(line.productId));
  if (unknown !== undefined) return { reason: 'PRODUCT_NOT_FOUND', productId: unknown.productId };
  const archived = lines.find((line) => shelf.get(line.productId)?.archived === true);
  return archived && { reason: 'PRODUCT_ARCHIVED', productId: archived.productId };
}

function refuseCurrencies(lines: readonly Line[], shelf: Shelf): Refusal | undefined {
  const currencies = new Set(lines.flatMap((line) => shelf.get(line.productId)?.currencyCode ?? []));
  return currencies.size > 1 ? { reason: 'MIXED_CURRENCIES', currencies: [...currencies].sort() } : undefined;
}

function refuseQuantity(lines: readonly Line[], left: ReadonlyMap<string, number>): Refusal | undefined {
  for (const { productId, quantity } of lines) {
    const available = left.get(productId) ?? 0;
    if (quantity > available) return { reason: 'OUT_OF_STOCK', productId, requested: quantity, available };
  }
  return undefined;
}

function priceFrom(shelf: Shelf, line: Line): PricedLine[] {
  const offer = shelf.get(line.productId);
  return offer === undefined ? [] : [price(line, offer)];
}

function price({ productId, quantity }: Line, tag: Omit<PricedLine, keyof Line>): PricedLine {
  const { displayName, currencyCode, unitPrice } = tag;
  return { productId, quantity, displayName, currencyCode, unitPrice };
}

function take(left: Map<string, number>, line: Line): void {
  left.set(line.productId, (left.get(line.productId) ?? 0) - line.quantity);
}
