/** A purchase over REST, as a customer makes it. */
import { randomUUID } from 'node:crypto';
import { CommandError } from '../command-error.ts';
import { httpJson } from '../http-json.ts';
import type { HttpJsonRequest } from '../http-json.ts';
import type { FabricState } from '../launcher/fabric-state.ts';
import { requestToken } from '../launcher/tokens.ts';

type Money = { currencyCode: string; minorUnits: string };
type Product = { productId: string };
type Order = {
  orderId: string;
  customerId: string;
  paymentId: string;
  lines: { displayName: string; quantity: number; lineTotal: Money }[];
  total: Money;
  state: string;
  history: { state: string; time: string; note: string }[];
};
type Payment = {
  paymentId: string;
  amount: Money;
  state: string;
  transactionId: string;
  cardBrand: string;
  cardLast4: string;
};

/** What came of it; the trace is that of placing the order. */
export type Purchase = { order: Order; payment: Payment; traceId: string };

/** The gateway's own limit for a write is 10 s; ms. */
const TIMEOUT = 15_000;
const TOKEN_TTL = 600;

/** Orders one of the first product in stock, and reads order and payment back. */
export async function placeOrder(fabric: FabricState): Promise<Purchase> {
  const { gateway } = fabric.endpoints;
  if (gateway === undefined) throw new CommandError('the fabric runs without a gateway; the demo needs it');
  const token = await requestToken(fabric, { role: 'CUSTOMER', sub: 'customer', ttl: TOKEN_TTL });
  const shop = new Shop(gateway, token);
  const listed = await shop.get('/v1/products?inStock=true&pageSize=1');
  const [product] = (listed.body as { products: Product[] }).products;
  if (product === undefined)
    throw new CommandError('the catalogue is empty: start with `mercer up --seed demo`');
  const lines = [{ productId: product.productId, quantity: 1 }];
  const placed = await shop.post('/v1/orders', { lines, paymentToken: 'tok_visa' });
  const { orderId } = placed.body as Order;
  const order = (await shop.get(`/v1/orders/${orderId}`)).body as Order;
  const payment = (await shop.get(`/v1/payments/${order.paymentId}`)).body as Payment;
  return { order, payment, traceId: placed.traceId };
}

type Answer = { body: unknown; traceId: string };

/** The gateway's REST interface, as one user. */
class Shop {
  readonly #base: string;
  readonly #authorization: string;

  constructor(base: string, token: string) {
    this.#base = base;
    this.#authorization = `Bearer ${token}`;
  }

  get(path: string): Promise<Answer> {
    return this.#send(path, {});
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.#send(path, { body, headers: { 'idempotency-key': randomUUID() } });
  }

  async #send(path: string, { body, headers }: Omit<HttpJsonRequest, 'timeout'>): Promise<Answer> {
    const answer = await httpJson(this.#base + path, {
      headers: { authorization: this.#authorization, ...headers },
      body,
      timeout: TIMEOUT,
    });
    if (answer.status >= 300) throw new CommandError(refusal(path, answer.status, answer.body));
    return { body: answer.body, traceId: String(answer.headers['x-trace-id'] ?? '') };
  }
}

function refusal(path: string, status: number, body: unknown): string {
  const { error } = (body ?? {}) as { error?: { message?: string } };
  return `the gateway answered ${status} to ${path}: ${error?.message ?? 'no reason given'}`;
}
