/** The rules of an order, pure: its states, and what a purchase that ended says to its customer. */

/** An exact amount in minor units of one currency. */
export type Money = { currencyCode: string; minorUnits: bigint };

/** Life of an order, as the contract names it. */
export type State = 'PENDING' | 'CONFIRMED' | 'FAILED' | 'CANCELLED' | 'REFUNDED';

/** A product and how many of it. */
export type Item = { productId: string; quantity: number };

/** One product of an order; the price is that of one unit, undefined until the product service named it. */
export type Line = Item & { displayName: string; unitPrice: Money | undefined };

/** One state that an order was in. */
export type Transition = { state: State; time: Date; note: string };

/** Reasons that lie in the request itself: its key is not burnt, because nothing could ever come of it. */
const REQUEST_FAULTS = [
  'PRODUCT_NOT_FOUND',
  'PRODUCT_ARCHIVED',
  'MIXED_CURRENCIES',
  'TOTAL_TOO_LARGE',
  'PAYMENT_TOKEN_UNKNOWN',
] as const;

const REASONS = [
  'OUT_OF_STOCK',
  'PAYMENT_DECLINED',
  'PRICE_CHANGED',
  'INTERRUPTED',
  'ORDER_CANCELLED',
  ...REQUEST_FAULTS,
] as const;

/** Why a purchase came to nothing. */
export type Reason = (typeof REASONS)[number];

/** Whether a text is a reason why purchases come to nothing. */
export function isReason(text: string | undefined): text is Reason {
  return REASONS.some((reason) => reason === text);
}

/** A reason with its sentence and the variable parts of it. */
export type Refusal = { reason: Reason; message: string; metadata: Record<string, string> };

/** The end that an order is taken to by undoing what was done; decided, and recorded, before the first undo. */
export type Ending = Refusal & { state: 'FAILED' | 'CANCELLED' };

/** An order and what is known of its purchase. */
export type Order = {
  orderId: string;
  customerId: string;
  lines: readonly Line[];
  /** Undefined until the lines are priced; no charge begins before. */
  total: Money | undefined;
  /** In minor units of the total's currency. */
  amountRefunded: bigint;
  state: State;
  ending: Ending | undefined;
  /** Empty before a payment exists. */
  paymentId: string;
  createTime: Date;
  updateTime: Date;
  history: readonly Transition[];
  /** Rises with every change of hands; whoever holds an older one can no longer write. */
  fence: number;
};

const EDGES: Record<State, readonly State[]> = {
  PENDING: ['CONFIRMED', 'FAILED', 'CANCELLED'],
  CONFIRMED: ['CANCELLED', 'REFUNDED'],
  FAILED: [],
  CANCELLED: [],
  REFUNDED: [],
};

/** Whether an order in one state may enter another. */
export function mayEnter(from: State, to: State): boolean {
  return EDGES[from].includes(to);
}

/** The order after it entered a state. */
export function enter(order: Order, { state, time, note }: Transition): Order {
  if (!mayEnter(order.state, state)) throw new Error(`an order cannot go from ${order.state} to ${state}`);
  return { ...order, state, updateTime: time, history: [...order.history, { state, time, note }] };
}

/**
 * What CreateOrder says of an order: the end of its purchase, whatever became of the order afterwards, so
 * that a repeated request gets its first answer. An order still PENDING is its own answer.
 */
export function purchaseOutcome(order: Order): { order: Order } | { refusal: Refusal } {
  if (order.state === 'PENDING') return { order };
  const confirmed = order.history.findIndex(({ state }) => state === 'CONFIRMED');
  if (confirmed !== -1) return { order: asOf(order, confirmed) };
  const { reason, message, metadata } = order.ending ?? interrupted();
  return { refusal: { reason, message, metadata: { ...metadata, order_id: order.orderId } } };
}

/** The order as it was right after a transition of a purchase. */
function asOf(order: Order, index: number): Order {
  const history = order.history.slice(0, index + 1);
  const last = history.at(-1);
  if (last === undefined) return order;
  return { ...order, state: last.state, updateTime: last.time, amountRefunded: 0n, history };
}

/** Whether the key of a failed purchase may be used again: a request that was at fault does not burn it. */
export function freesKey(ending: Ending): boolean {
  return REQUEST_FAULTS.some((fault) => fault === ending.reason);
}

/** What CancelOrder has to do with an order. */
export type Cancellation = 'undo' | 'finish' | 'done' | 'refuse';

/**
 * `undo` an order that stands; `finish` an undo that was begun, by whomever; a cancelled order is `done`;
 * one that failed or was refunded is a `refuse`.
 */
export function cancellation({ state, ending }: Order): Cancellation {
  if (state === 'CANCELLED') return 'done';
  if (state === 'FAILED' || state === 'REFUNDED') return 'refuse';
  return ending === undefined ? 'undo' : 'finish';
}

/** Whether money of an order may be returned while its goods stay with the customer; again, too, by the same key. */
export function refundable({ state, ending }: Order): boolean {
  return (state === 'CONFIRMED' && ending === undefined) || state === 'REFUNDED';
}

/** The purchase stopped half-way and was undone. */
export function interrupted(): Refusal {
  return { reason: 'INTERRUPTED', message: 'the purchase was interrupted and undone', metadata: {} };
}
