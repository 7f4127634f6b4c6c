/** Product and payment in memory, by their contracts; each call can be made to fail before or after its effect. */
import { status } from '@grpc/grpc-js';
import { toStatus } from '#fabric/rpc/status-details.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { Payment, Payment_State } from '#gen/mercer/payment/v1/payment.ts';
import { chargesOf } from './charges.ts';
import type { Money } from './domain.ts';
import { stockOf } from './stock.ts';
import type { Charges } from './charges.ts';
import type { Stock } from './stock.ts';

/** Calls that can fail. */
export type Call =
  | 'reserveStock'
  | 'commitStock'
  | 'releaseStock'
  | 'chargeOrder'
  | 'resolveCharge'
  | 'refundPayment';

/** A failure of a call: `after` means that its effect happened and only the answer is lost. */
export type Fault = { when: 'before' | 'after'; error: Error };

/** What a token does, as the acquirer would. */
type TokenOutcome = 'captured' | 'declined' | 'waiting' | 'review' | 'unknown';

type Reservation = 'HELD' | 'SOLD' | 'FREE' | 'BARRED';

type Account = { state: Exclude<TokenOutcome, 'unknown'> | 'barred'; amount: bigint; returned: bigint };

/** A shop of one product. */
export class Shop {
  readonly reservations = new Map<string, Reservation>();
  readonly accounts = new Map<string, Account>();
  readonly calls: Call[] = [];
  readonly #refunds = new Set<string>();
  #claimed = 0n;
  stock = 100;
  unitPrice: Money = { currencyCode: 'USD', minorUnits: 250n };
  /** Refusals of ReserveStock and CommitStock by reason, and the fault of each call. */
  refuse: Partial<Record<Call, StatusError>> = {};
  fault: (call: Call) => Fault | undefined = () => undefined;
  readonly stockPart: Stock;
  readonly chargesPart: Charges;
  /** The same with no patience for charges in flight. */
  readonly recoveryPart: Charges;

  constructor() {
    this.stockPart = stockOf({
      reserveStock: ({ orderId, lines }) =>
        this.#call('reserveStock', () => {
          this.#reserve(orderId);
          const priced = lines.map((line) => ({ ...line, displayName: 'Watch', unitPrice: this.unitPrice }));
          return { lines: priced, expireTime: new Date() };
        }),
      commitStock: ({ orderIds: [orderId = ''] }) =>
        this.#call('commitStock', () => this.#settled(orderId, () => this.#commit(orderId))),
      releaseStock: ({ orderIds: [orderId = ''] }) =>
        this.#call('releaseStock', () => this.#settled(orderId, () => this.#release(orderId))),
    });
    const payments: Parameters<typeof chargesOf>[0] = {
      chargeOrder: ({ orderId, amount, paymentToken }) =>
        this.#call('chargeOrder', () => this.#charge(orderId, amount?.minorUnits ?? 0n, paymentToken)),
      resolveCharge: ({ orderId }) => this.#call('resolveCharge', () => this.#resolve(orderId)),
      refundPayment: ({ orderId, amount, requestId }) =>
        this.#call('refundPayment', () => this.#refund({ orderId, asked: amount?.minorUnits, requestId })),
    };
    this.chargesPart = chargesOf(payments, 600);
    this.recoveryPart = chargesOf(payments, 0);
  }

  /** Units that orders have, reserved or sold. */
  get taken(): number {
    return [...this.reservations.values()].filter((each) => each === 'HELD' || each === 'SOLD').length;
  }

  /** Money of an order that stays with the shop. */
  kept(orderId: string): bigint {
    const account = this.accounts.get(orderId);
    return account?.state === 'captured' ? account.amount - account.returned : 0n;
  }

  async #call<T>(name: Call, effect: () => T): Promise<T> {
    this.calls.push(name);
    const fault = this.fault(name);
    if (fault?.when === 'before') throw fault.error;
    const refusal = this.refuse[name];
    if (refusal !== undefined) throw refusal;
    const answer = effect();
    if (fault?.when === 'after') throw fault.error;
    await Promise.resolve();
    return answer;
  }

  #reserve(orderId: string): void {
    const state = this.reservations.get(orderId);
    if (state === 'BARRED' || state === 'FREE') throw refusal('RESERVATION_BARRED');
    if (state !== undefined) return;
    if (this.taken >= this.stock) throw refusal('OUT_OF_STOCK', { product_id: 'watch' });
    this.reservations.set(orderId, 'HELD');
  }

  #commit(orderId: string): void {
    const state = this.reservations.get(orderId);
    if (state !== 'HELD' && state !== 'SOLD') throw refusal('RESERVATION_EXPIRED');
    this.reservations.set(orderId, 'SOLD');
  }

  #release(orderId: string): void {
    this.reservations.set(orderId, this.reservations.has(orderId) ? 'FREE' : 'BARRED');
  }

  #settled(orderId: string, effect: () => void): { results: { orderId: string; status: Rpc }[] } {
    try {
      effect();
      return { results: [{ orderId, status: { code: 0, message: '', details: [] } }] };
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return { results: [{ orderId, status: toStatus(error) }] };
    }
  }

  #charge(orderId: string, amount: bigint, token: string): { payment: Payment } {
    const known = this.accounts.get(orderId);
    if (known?.state === 'barred') throw refusal('CHARGE_BARRED');
    const state = OUTCOMES[token] ?? 'unknown';
    if (state === 'unknown')
      throw new StatusError(status.INVALID_ARGUMENT, 'no such token', { reason: 'PAYMENT_TOKEN_UNKNOWN' });
    const account = known ?? { state, amount, returned: 0n };
    this.accounts.set(orderId, account);
    return { payment: message(orderId, account) };
  }

  #resolve(orderId: string): { payment: Payment } {
    const account = this.accounts.get(orderId);
    if (account !== undefined && account.state !== 'barred') return { payment: message(orderId, account) };
    this.accounts.set(orderId, { state: 'barred', amount: 0n, returned: 0n });
    throw new StatusError(status.NOT_FOUND, 'no charge', { reason: 'PAYMENT_NOT_FOUND' });
  }

  /** Claimed, and on its way until `settle`. */
  claim(orderId: string, amount: bigint): { settle: () => void } {
    const account = this.accounts.get(orderId);
    if (account === undefined) throw refusal('PAYMENT_NOT_FOUND');
    this.#claimed += amount;
    return {
      settle: () => {
        this.#claimed -= amount;
        account.returned += amount;
      },
    };
  }

  #refund({ orderId, asked, requestId }: { orderId: string; asked: bigint | undefined; requestId: string }): {
    payment: Payment;
  } {
    const account = this.accounts.get(orderId);
    if (account?.state === 'review' || account?.state === 'waiting') {
      account.state = 'declined'; // voided: nothing was captured
      return { payment: message(orderId, account) };
    }
    if (account?.state !== 'captured') throw refusal('REFUND_EXCEEDS_CAPTURE');
    const key = `${orderId} ${requestId}`;
    if (this.#refunds.has(key)) return { payment: message(orderId, account) };
    const left = account.amount - account.returned - this.#claimed;
    const amount = asked ?? left;
    if (amount > left || left === 0n) throw refusal('REFUND_EXCEEDS_CAPTURE');
    account.returned += amount;
    this.#refunds.add(key);
    return { payment: message(orderId, account) };
  }
}

type Rpc = ReturnType<typeof toStatus>;

const OUTCOMES: Record<string, TokenOutcome> = {
  tok_visa: 'captured',
  tok_declined: 'declined',
  tok_async: 'waiting',
  tok_review: 'review',
};

function refusal(reason: string, metadata: Record<string, string> = {}): StatusError {
  return new StatusError(status.FAILED_PRECONDITION, reason.toLowerCase(), { reason, metadata });
}

function message(orderId: string, { state, amount, returned }: Account): Payment {
  return Payment.fromPartial({
    paymentId: `payment-of-${orderId}`,
    orderId,
    state: stateOf(state, amount === returned),
    failureReason: state === 'declined' ? 'card_declined' : '',
    amountRefunded: { currencyCode: 'USD', minorUnits: returned },
  });
}

function stateOf(state: Account['state'], allReturned: boolean): Payment_State {
  if (state === 'declined') return Payment_State.STATE_DECLINED;
  if (state === 'waiting') return Payment_State.STATE_PENDING;
  if (state === 'review') return Payment_State.STATE_UNDER_REVIEW;
  return allReturned ? Payment_State.STATE_REFUNDED : Payment_State.STATE_SUCCEEDED;
}
