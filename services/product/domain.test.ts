/** The rules of stock hold for every course of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { adjust, allocate, commit, movement, release, repeat } from './domain.ts';
import type { Demand, Line, Movement, Offer, Reservation } from './domain.ts';

const PRODUCTS = ['a', 'b', 'c'];

function offer(available: number, changes: Partial<Offer> = {}): Offer {
  return { displayName: 'A', archived: false, currencyCode: 'USD', unitPrice: 100n, available, ...changes };
}

const lines = fc.uniqueArray(
  fc.record(
    { productId: fc.constantFrom(...PRODUCTS), quantity: fc.integer({ min: 1, max: 5 }) },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 3, selector: (line: Line) => line.productId },
);
const demands = fc
  .array(lines, { maxLength: 20 })
  .map((all): Demand[] => all.map((each, index) => ({ orderId: `order-${index}`, lines: each })));
const stocks = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20));

test('together, orders never get more than the shelf holds', () => {
  fc.assert(
    fc.property(demands, stocks, (asked, counts) => {
      const shelf = new Map(PRODUCTS.map((id, index) => [id, offer(counts[index] ?? 0)]));
      const given = allocate(asked, shelf).flatMap((each) => ('lines' in each ? each.lines : []));
      for (const [id, { available }] of shelf) assert.ok(sum(given, id) <= available);
    }),
  );
});

test('an order gets all of its lines, or none and the reason', () => {
  fc.assert(
    fc.property(demands, stocks, (asked, counts) => {
      const shelf = new Map(PRODUCTS.map((id, index) => [id, offer(counts[index] ?? 0)]));
      allocate(asked, shelf).forEach((outcome, index) => {
        assert.equal(outcome.orderId, asked[index]?.orderId);
        if ('lines' in outcome) {
          assert.deepEqual(
            outcome.lines.map(({ productId, quantity }) => ({ productId, quantity })),
            asked[index]?.lines,
          );
        } else assert.equal(outcome.refusal.reason, 'OUT_OF_STOCK');
      });
    }),
  );
});

test('an order that is refused leaves its neighbours what they would get without it', () => {
  fc.assert(
    fc.property(demands, stocks, (asked, counts) => {
      const shelf = new Map(PRODUCTS.map((id, index) => [id, offer(counts[index] ?? 0)]));
      const all = allocate(asked, shelf);
      const served = asked.filter((_, index) => 'lines' in (all[index] ?? {}));
      assert.deepEqual(
        allocate(served, shelf),
        all.filter((each) => 'lines' in each),
      );
    }),
  );
});

test('what cannot be sold at all is named before what is short', () => {
  const shelf = new Map([
    ['short', offer(0)],
    ['gone', offer(9, { archived: true })],
    ['euro', offer(9, { currencyCode: 'EUR' })],
    ['dollar', offer(9)],
  ]);
  assert.equal(reason(shelf, ['short', 'gone', 'nothing']), 'PRODUCT_NOT_FOUND');
  assert.equal(reason(shelf, ['short', 'gone']), 'PRODUCT_ARCHIVED');
  assert.equal(reason(shelf, ['short', 'euro']), 'MIXED_CURRENCIES');
  assert.equal(reason(shelf, ['dollar', 'short']), 'OUT_OF_STOCK');
  assert.equal(reason(shelf, ['dollar']), undefined);
});

test('a correction takes no more than is there, and fills no shelf beyond its limit', () => {
  const outcome = (quantity: number) => {
    const adjusted = adjust({ productId: 'a', quantity }, 5);
    return 'refusal' in adjusted ? adjusted.refusal.reason : adjusted.movement.available;
  };
  assert.deepEqual([-5, -6, 999_999_995, 999_999_996].map(outcome), [
    -5,
    'OUT_OF_STOCK',
    999_999_995,
    'STOCK_LIMIT',
  ]);
});

test('no step but a delivery changes how many units there are', () => {
  const line = { productId: 'a', quantity: 3 };
  for (const kind of ['RESERVE', 'EXPIRE', 'RELEASE', 'COMMIT', 'RECOMMIT', 'RETURN'] as const) {
    assert.equal(total(movement(kind, line, 'order')), 0, kind);
  }
  assert.equal(total(movement('DELIVER', line, null)), 3);
});

test('any course of reserve, expire, commit and release keeps every count at zero or more', () => {
  const step = fc.record({
    kind: fc.constantFrom('reserve', 'expire', 'commit', 'release'),
    order: fc.nat(4),
    lines,
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), stocks, (steps, counts) => {
      const shop = new Shop(counts);
      for (const { kind, order, lines: asked } of steps) {
        shop[kind](`order-${order}`, asked);
        shop.check(counts);
      }
    }),
  );
});

test('a repeated demand is answered from the first one, in the order now asked', () => {
  const first = reservation('HELD', ['a', 'b']);
  const again = repeat({ orderId: 'order', lines: asked(['b', 'a']) }, first);
  assert.ok('lines' in again);
  assert.deepEqual(
    again.lines.map((line) => line.productId),
    ['b', 'a'],
  );
});

test('a repeated demand for other lines, or of a released order, is refused', () => {
  const refusal = (demand: string[], first: Reservation): string | undefined => {
    const outcome = repeat({ orderId: 'order', lines: asked(demand) }, first);
    return 'refusal' in outcome ? outcome.refusal.reason : undefined;
  };
  assert.equal(refusal(['a'], reservation('HELD', ['a', 'b'])), 'RESERVATION_MISMATCH');
  assert.equal(refusal(['a', 'b'], reservation('HELD', ['a'])), 'RESERVATION_MISMATCH');
  assert.equal(refusal(['a'], reservation('RELEASED', ['a'])), 'RESERVATION_BARRED');
  assert.equal(refusal(['a'], reservation('BARRED', [])), 'RESERVATION_BARRED');
  assert.equal(refusal(['a'], reservation('COMMITTED', ['a'])), undefined);
});

/** Stock and reservations as the store keeps them, moved by the rules alone. */
class Shop {
  readonly #counts = new Map<string, { available: number; reserved: number; sold: number }>();
  readonly #reservations = new Map<string, Reservation>();

  constructor(counts: readonly number[]) {
    PRODUCTS.forEach((id, index) =>
      this.#counts.set(id, { available: counts[index] ?? 0, reserved: 0, sold: 0 }),
    );
  }

  reserve(orderId: string, demanded: Line[]): void {
    if (this.#reservations.has(orderId)) return;
    const shelf = new Map([...this.#counts].map(([id, { available }]) => [id, offer(available)]));
    const [outcome] = allocate([{ orderId, lines: demanded }], shelf);
    if (outcome === undefined || 'refusal' in outcome) return;
    const held = outcome.lines.map((line) => ({ ...line, held: true, expireTime: new Date(0) }));
    this.#reservations.set(orderId, { orderId, state: 'HELD', lines: held });
    this.#post(held.map((line) => movement('RESERVE', line, orderId)));
  }

  expire(orderId: string): void {
    const [line] = this.#reservations.get(orderId)?.lines.filter((each) => each.held) ?? [];
    if (line === undefined) return;
    line.held = false;
    this.#post([movement('EXPIRE', line, orderId)]);
  }

  commit(orderId: string): void {
    const held = this.#reservations.get(orderId);
    if (held === undefined) return;
    const available = new Map([...this.#counts].map(([id, count]) => [id, count.available]));
    const [settlement] = commit([held], available);
    if (settlement === undefined || 'refusal' in settlement) return;
    this.#settle(held, 'COMMITTED', settlement.movements);
  }

  release(orderId: string): void {
    const held = this.#reservations.get(orderId);
    if (held !== undefined && held.state !== 'RELEASED') this.#settle(held, 'RELEASED', release(held));
  }

  check(counts: readonly number[]): void {
    PRODUCTS.forEach((id, index) => {
      const { available, reserved, sold } = this.#counts.get(id) ?? { available: -1, reserved: -1, sold: -1 };
      assert.ok(available >= 0 && reserved >= 0 && sold >= 0, `${id}: ${available} ${reserved} ${sold}`);
      assert.equal(available + reserved + sold, counts[index]);
    });
  }

  #settle(held: Reservation, state: Reservation['state'], movements: Movement[]): void {
    held.state = state;
    for (const line of held.lines) line.held = false;
    this.#post(movements);
  }

  #post(movements: Movement[]): void {
    for (const { productId, available, reserved, sold } of movements) {
      const count = this.#counts.get(productId);
      if (count === undefined) continue;
      count.available += available;
      count.reserved += reserved;
      count.sold += sold;
    }
  }
}

function reason(shelf: Map<string, Offer>, productIds: string[]): string | undefined {
  const [outcome] = allocate([{ orderId: 'order', lines: asked(productIds) }], shelf);
  return outcome !== undefined && 'refusal' in outcome ? outcome.refusal.reason : undefined;
}

function asked(productIds: string[]): Line[] {
  return productIds.map((productId) => ({ productId, quantity: 1 }));
}

function reservation(state: Reservation['state'], productIds: string[]): Reservation {
  const priced = {
    displayName: 'A',
    currencyCode: 'USD',
    unitPrice: 1n,
    held: true,
    expireTime: new Date(0),
  };
  return { orderId: 'order', state, lines: asked(productIds).map((line) => ({ ...line, ...priced })) };
}

function sum(given: readonly Line[], productId: string): number {
  return given.filter((line) => line.productId === productId).reduce((all, line) => all + line.quantity, 0);
}

function total({ available, reserved, sold }: Movement): number {
  return available + reserved + sold;
}
