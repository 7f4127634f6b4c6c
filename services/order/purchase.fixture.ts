/** What tests of purchases share: requests, work against a shop, failures and crashes, and what must hold in the end. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { createTestDatabase } from '#fabric/data/test-database.fixture.ts';
import type { KeyedRequest } from '#fabric/data/idempotency.ts';
import { counter } from './checkout.ts';
import type { Checkout } from './checkout.ts';
import { entities } from './entities.ts';
import { leases } from './leases.ts';
import { migrations } from './migrations.ts';
import { purchaseOutcome } from './domain.ts';
import type { Money, Order, Reason } from './domain.ts';
import type { PurchaseEvents } from './purchase-events.ts';
import type { SagaWork } from './saga.ts';
import type { Call, Shop } from './shop.fixture.ts';
import { CREATE_ORDER, orderStore } from './store.ts';
import type { OrderStore } from './store.ts';

/** Two replicas' stores of one database, and what only its owner may do. */
export type Orders = {
  store: OrderStore;
  replica: OrderStore;
  /** Ids of the orders placed under a key. */
  placedUnder(request: KeyedRequest): Promise<string[]>;
  /** Time passes until no lease of the key's order holds. */
  lapse(request: KeyedRequest): Promise<void>;
  /** Time passes until recovery may look at every unfinished order and refund. */
  pass(): Promise<void>;
  /** Lets an order's lease end so many ms from now, and recovery look at it at once. */
  age(orderId: string, leaseLeft: number): Promise<void>;
  /** Seconds from the end of an order's lease until recovery looks at it. */
  pauseOf(orderId: string): Promise<number>;
  /** The number of unfinished orders that an SQL condition holds for. */
  unfinished(condition?: string): Promise<number>;
};

const UNFINISHED = `(state = 'PENDING' or state <> ending_state)`;

/** Opens the stores on a database of their own. */
export async function openOrders(): Promise<Orders> {
  const database = await createTestDatabase({ entities, migrations });
  const ids = (key: string): string =>
    `select resource_id::uuid as id from idempotency_key where key = '${key}'`;
  return {
    store: orderStore(await database.open()),
    replica: orderStore(await database.open()),
    placedUnder: async ({ key }) => (await database.asOwner(ids(key))).rows.map((row) => String(row['id'])),
    lapse: async ({ key }) => {
      await database.asOwner(`update orders set lease_until = now() where order_id in (${ids(key)})`);
    },
    pass: async () => {
      await database.asOwner(
        `update orders set lease_until = now(), next_attempt_at = now() where ${UNFINISHED};
         update order_refund set next_attempt_at = now()`,
      );
    },
    age: async (orderId, leaseLeft) => {
      await database.asOwner(
        `update orders set lease_until = now() + interval '${leaseLeft} ms', next_attempt_at = now()
         where order_id = '${orderId}'`,
      );
    },
    pauseOf: async (orderId) => {
      const pause = `select extract(epoch from next_attempt_at - lease_until)::float8 as s
        from orders where order_id = '${orderId}'`;
      return Number((await database.asOwner(pause)).rows[0]?.['s']);
    },
    unfinished: async (condition = 'true') => {
      const counted = `select count(*)::integer as n from orders where ${UNFINISHED} and ${condition}`;
      return Number((await database.asOwner(counted)).rows[0]?.['n']);
    },
  };
}

/** The saga's work against a shop in memory. */
export function workIn(shop: Shop, store: OrderStore): SagaWork {
  const stage = { stock: shop.stockPart, charges: shop.chargesPart, events: silent() };
  return { ...stage, store, leases: leases(store), grace: 5_000 };
}

/** The same, as recovery does it. */
export function recoveryIn(shop: Shop, store: OrderStore): SagaWork {
  return { ...workIn(shop, store), charges: shop.recoveryPart, grace: 0 };
}

/** Events that nobody hears. */
export function silent(): PurchaseEvents {
  const nothing = (): void => undefined;
  const recovery = {
    recovered: nothing,
    unrecovered: nothing,
    parked: nothing,
    refunded: nothing,
    unrefunded: nothing,
  };
  return { confirmed: nothing, ended: nothing, left: nothing, stepped: nothing, ...recovery };
}

/** Buys as an approved customer, under a key of its own. */
export function buy(shop: Shop, store: OrderStore, change: Partial<Checkout> = {}): Promise<Order> {
  return counter(workIn(shop, store)).place(checkout(change), keyed(), soon());
}

/** Two watches for tok_visa, unless changed. */
export function checkout(change: Partial<Checkout> = {}): Checkout {
  const items = [{ productId: 'watch', quantity: 2 }];
  return { customerId: 'alice', items, paymentToken: 'tok_visa', expectedTotal: undefined, ...change };
}

/** A request of alice's under a fresh key. */
export function keyed(): KeyedRequest {
  const fingerprint = createHash('sha256').update('body').digest();
  return { caller: 'https://idp alice', method: CREATE_ORDER, key: randomUUID(), fingerprint };
}

/** A deadline that no test reaches. */
export function soon(): Date {
  return new Date(Date.now() + 20_000);
}

/** An amount in minor units of USD. */
export function usd(minorUnits: bigint): Money {
  return { currencyCode: 'USD', minorUnits };
}

/** Why the purchase came to nothing, if it did. */
export function reasonOf(order: Order): Reason | undefined {
  const outcome = purchaseOutcome(order);
  return 'refusal' in outcome ? outcome.refusal.reason : undefined;
}

/** What holds for every order that is over: goods sold and money kept when CONFIRMED, neither otherwise. */
export function assertSettled(shop: Shop, { orderId, state, total }: Order): void {
  const confirmed = state === 'CONFIRMED';
  assert.equal(shop.reservations.get(orderId) === 'SOLD', confirmed);
  assert.notEqual(shop.reservations.get(orderId), 'HELD');
  assert.equal(shop.kept(orderId), confirmed ? total?.minorUnits : 0n);
}

/** Makes calls fail, the given number of times in all. */
export function failing(
  shop: Shop,
  calls: Call[],
  { when, error, times }: { when: 'before' | 'after'; error: Error; times: number },
): void {
  let left = times;
  shop.fault = (call) => {
    if (!calls.includes(call) || left === 0) return undefined;
    left -= 1;
    return { when, error };
  };
}

type Part = Record<string, (...given: never[]) => Promise<unknown>>;

/** Work that dies before or after its nth effect, and does nothing from then on. */
export function mortal(work: SagaWork, death: { line: number; when: 'before' | 'after' }): SagaWork {
  let line = 0;
  let dead = false;
  const die = (): never => {
    dead = true;
    throw new Error('the process is dead');
  };
  const wrap = <T extends Part>(part: T): T =>
    new Proxy(part, {
      get:
        (target, name: string) =>
        async (...given: never[]) => {
          line += 1;
          if (dead || (line === death.line && death.when === 'before')) die();
          const effect = await target[name]?.(...given);
          if (line === death.line) die();
          return effect;
        },
    });
  return { ...work, store: wrap(work.store), stock: wrap(work.stock), charges: wrap(work.charges) };
}
