/** What an audit reads: the rows of three databases and the acquirer's ledger; every age is in ms by its owner's clock. */

/** An exact amount in minor units of one currency. */
export type Money = { currencyCode: string; minorUnits: bigint };

/** Units of a product. */
export type Counts = { available: bigint; reserved: bigint; sold: bigint; delivered: bigint };

/** A product's stock as its row says, and as the sums of the stock ledger say; undefined where there is nothing. */
export type Shelf = { productId: string; row: Counts | undefined; posted: Counts | undefined };

/** What an order holds of a product. */
export type ReservedLine = { productId: string; quantity: bigint; price: Money; held: boolean };

/** What an order holds or has bought. */
export type Reservation = {
  orderId: string;
  state: 'HELD' | 'COMMITTED' | 'RELEASED' | 'BARRED';
  lines: ReservedLine[];
  unchanged: number;
};

/** All movements of one product that the stock ledger names an order for, summed. */
export type Movement = {
  orderId: string;
  productId: string;
  reserved: bigint;
  sold: bigint;
  unchanged: number;
};

/** One product of an order; no price before the product service named one. */
export type OrderLine = { productId: string; quantity: bigint; unitPrice: bigint | undefined };

/** An order with its lines and its history in order of sequence. */
export type Order = {
  orderId: string;
  customerId: string;
  state: string;
  total: Money | undefined;
  amountRefunded: bigint;
  paymentId: string;
  /** The state that an undo takes it to, once one was decided. */
  ending: string | undefined;
  lines: OrderLine[];
  history: { sequence: number; state: string }[];
  age: number;
  unchanged: number;
};

/** An idempotency key of CreateOrder, with the order it brought forth; `caller` is issuer and subject. */
export type Key = { caller: string; key: string; orderId: string };

/** Money to go back, or gone back. */
export type Refund = { refundId: string; amount: bigint; state: 'PENDING' | 'SUCCEEDED'; age: number };

/** A charge with its refunds. */
export type Payment = {
  paymentId: string;
  orderId: string;
  customerId: string;
  state: 'PENDING' | 'UNDER_REVIEW' | 'SUCCEEDED' | 'DECLINED' | 'BARRED';
  amount: Money;
  /** Of all refunds that were begun. */
  claimed: bigint;
  /** Of those that were made. */
  refunded: bigint;
  /** Empty before the acquirer has answered. */
  transactionId: string;
  refunds: Refund[];
  unchanged: number;
};

/** A line of the payment service's own ledger. */
export type PaymentEntry = {
  paymentId: string;
  orderId: string;
  kind: 'CAPTURE' | 'REFUND';
  refundId: string | undefined;
  amount: Money;
  age: number;
};

/** A line of the acquirer's ledger. */
export type AcquirerEntry = {
  kind: 'capture' | 'refund' | 'void';
  orderId: string;
  amount: Money;
  age: number;
};

/** Everything, as it stood at one moment or within seconds of it. */
export type Books = {
  shelves: Shelf[];
  reservations: Reservation[];
  movements: Movement[];
  orders: Order[];
  keys: Key[];
  payments: Payment[];
  paymentEntries: PaymentEntry[];
  acquirerEntries: AcquirerEntry[];
};
