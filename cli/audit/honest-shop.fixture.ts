/** Keeps the books of a shop without a fault: every course that a purchase may take, and what it leaves in each book. */
import fc from 'fast-check';
import type { Books, Counts, Order, Payment, Refund, Reservation, ReservedLine } from './books.ts';

/** How far a purchase came. */
export const COURSES = [
  'begun',
  'reserved',
  'expired',
  'under review',
  'confirmed',
  'out of stock',
  'at fault',
  'declined',
  'cancelled',
  'partly refunded',
  'refunding',
  'refunded',
] as const;

export type Course = (typeof COURSES)[number];

/** A purchase of one or two products; `age` of everything about it, in ms. */
export type Bought = { course: Course; quantities: readonly number[]; age: number };

/** Courses in which a purchase cannot stay. */
export const PASSING: readonly Course[] = ['begun', 'reserved', 'expired', 'refunding'];
/** Refunds are counted in thirds. */
const PRICE = 300n;
const DAY = 86_400_000;

/** Any number of purchases; those that cannot stay as they are were touched a moment ago. */
export const anyPurchases: fc.Arbitrary<Bought[]> = fc.array(
  fc
    .record({
      course: fc.constantFrom(...COURSES),
      quantities: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 2 }),
      age: fc.integer({ min: 0, max: 2 * DAY }),
    })
    .map(({ course, quantities, age }) => ({
      course,
      quantities,
      age: PASSING.includes(course) ? age % 30_000 : age,
    })),
  { maxLength: 12 },
);

/** The books after these purchases. */
export function booksOf(purchases: readonly Bought[]): Books {
  const books: Books = {
    shelves: [],
    reservations: [],
    movements: [],
    orders: [],
    keys: [],
    payments: [],
    paymentEntries: [],
    acquirerEntries: [],
  };
  for (const productId of ['product-0', 'product-1']) {
    const stock = { available: 1_000_000n, reserved: 0n, sold: 0n, delivered: 1_000_000n };
    books.shelves.push({ productId, row: { ...stock }, posted: { ...stock } });
  }
  for (const [index, bought] of purchases.entries()) new Purchase(books, bought, index).run();
  return books;
}

/** One purchase, as it writes its rows. */
class Purchase {
  readonly #books: Books;
  readonly #bought: Bought;
  readonly #orderId: string;
  readonly #order: Order;

  constructor(books: Books, bought: Bought, index: number) {
    this.#books = books;
    this.#bought = bought;
    this.#orderId = `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    this.#order = {
      orderId: this.#orderId,
      customerId: `customer-${index % 3}`,
      state: 'PENDING',
      total: undefined,
      amountRefunded: 0n,
      paymentId: '',
      ending: undefined,
      lines: bought.quantities.map((quantity, line) => ({
        productId: `product-${line}`,
        quantity: BigInt(quantity),
        unitPrice: undefined,
      })),
      history: [{ sequence: 1, state: 'PENDING' }],
      age: bought.age,
      unchanged: bought.age,
    };
    books.orders.push(this.#order);
    const { customerId } = this.#order;
    if (bought.course !== 'at fault')
      books.keys.push({
        caller: `https://issuer ${customerId}`,
        key: `key-${index}`,
        orderId: this.#orderId,
      });
  }

  run(): void {
    switch (this.#bought.course) {
      case 'begun':
        return;
      case 'out of stock':
      case 'at fault':
        this.#reserve('BARRED');
        this.#enter('FAILED');
        return;
      case 'reserved':
        this.#reserve('HELD');
        return;
      case 'expired':
        this.#reserve('HELD', { held: false });
        return;
      case 'under review':
        this.#reserve('HELD');
        this.#charge('UNDER_REVIEW');
        return;
      case 'declined':
        this.#reserve('RELEASED');
        this.#charge('DECLINED');
        this.#enter('FAILED');
        return;
      case 'cancelled':
        this.#reserve('RELEASED');
        this.#charge('SUCCEEDED', [{ share: 3n, made: true }]);
        this.#enter('CONFIRMED');
        this.#enter('CANCELLED');
        return;
      case 'confirmed':
        this.#sell([]);
        return;
      case 'partly refunded':
        this.#sell([
          { share: 1n, made: true },
          { share: 1n, made: true },
        ]);
        return;
      case 'refunding':
        this.#sell([
          { share: 1n, made: true },
          { share: 1n, made: false },
        ]);
        return;
      case 'refunded':
        this.#sell([
          { share: 2n, made: true },
          { share: 1n, made: true },
        ]);
        this.#enter('REFUNDED');
    }
  }

  #sell(refunds: readonly { share: bigint; made: boolean }[]): void {
    this.#reserve('COMMITTED');
    this.#charge('SUCCEEDED', refunds);
    this.#enter('CONFIRMED');
  }

  #enter(state: string): void {
    const { history } = this.#order;
    this.#order.state = state;
    if (state === 'FAILED' || state === 'CANCELLED') this.#order.ending = state;
    history.push({ sequence: history.length + 1, state });
  }

  #reserve(state: Reservation['state'], { held } = { held: state === 'HELD' }): void {
    const lines = state === 'BARRED' ? [] : this.#order.lines.map((line) => priced(line, held));
    const { age } = this.#bought;
    this.#books.reservations.push({ orderId: this.#orderId, state, lines, unchanged: age });
    for (const { productId, quantity } of lines) {
      const reserved = held ? quantity : 0n;
      const sold = state === 'COMMITTED' ? quantity : 0n;
      this.#books.movements.push({ orderId: this.#orderId, productId, reserved, sold, unchanged: age });
      const shelf = this.#books.shelves.find((each) => each.productId === productId);
      for (const counts of [shelf?.row, shelf?.posted])
        if (counts !== undefined) take(counts, reserved, sold);
    }
    if (lines.length > 0) this.#price();
  }

  #price(): void {
    for (const line of this.#order.lines) line.unitPrice = PRICE;
    const units = this.#order.lines.reduce((sum, { quantity }) => sum + quantity, 0n);
    this.#order.total = { currencyCode: 'USD', minorUnits: units * PRICE };
  }

  #charge(state: Payment['state'], refunds: readonly { share: bigint; made: boolean }[] = []): void {
    const amount = this.#order.total ?? { currencyCode: 'USD', minorUnits: 0n };
    const { age } = this.#bought;
    const paymentId = `payment-of-${this.#orderId}`;
    this.#order.paymentId = paymentId;
    const rows = refunds.map(({ share, made }, index): Refund => ({
      refundId: `refund-${index}-of-${this.#orderId}`,
      amount: (amount.minorUnits * share) / 3n,
      state: made ? 'SUCCEEDED' : 'PENDING',
      age,
    }));
    const made = rows.filter((refund) => refund.state === 'SUCCEEDED');
    const refunded = made.reduce((sum, refund) => sum + refund.amount, 0n);
    this.#order.amountRefunded = refunded;
    this.#books.payments.push({
      paymentId,
      orderId: this.#orderId,
      customerId: this.#order.customerId,
      state,
      amount,
      claimed: rows.reduce((sum, refund) => sum + refund.amount, 0n),
      refunded,
      transactionId: `ch_${this.#orderId}`,
      refunds: rows,
      unchanged: age,
    });
    if (state === 'SUCCEEDED') this.#move('CAPTURE', amount.minorUnits);
    for (const refund of made) this.#move('REFUND', refund.amount, refund.refundId);
  }

  #move(kind: 'CAPTURE' | 'REFUND', minorUnits: bigint, refundId?: string): void {
    const { age } = this.#bought;
    const amount = { currencyCode: 'USD', minorUnits };
    const orderId = this.#orderId;
    this.#books.paymentEntries.push({
      paymentId: `payment-of-${orderId}`,
      orderId,
      kind,
      refundId,
      amount,
      age,
    });
    this.#books.acquirerEntries.push({
      kind: kind === 'CAPTURE' ? 'capture' : 'refund',
      orderId,
      amount,
      age,
    });
  }
}

function priced(
  { productId, quantity }: { productId: string; quantity: bigint },
  held: boolean,
): ReservedLine {
  return { productId, quantity, price: { currencyCode: 'USD', minorUnits: PRICE }, held };
}

function take(counts: Counts, reserved: bigint, sold: bigint): void {
  counts.available -= reserved + sold;
  counts.reserved += reserved;
  counts.sold += sold;
}
