/** The purchase under every order of events: customers, cancellations and recoveries that interleave, crash and lose answers. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { StatusError } from '#fabric/rpc/status-error.ts';
import type { Ending, Order } from './domain.ts';
import { memoryStore } from './memory-store.fixture.ts';
import type { MemoryStore } from './memory-store.fixture.ts';
import { assertSettled, silent } from './purchase.fixture.ts';
import { recovery } from './recovery.ts';
import { drive, undo } from './saga.ts';
import type { SagaWork } from './saga.ts';
import { Shop } from './shop.fixture.ts';

/** What befalls one actor at its nth effect. */
type Mishap = { line: number; when: 'before' | 'after'; how: 'crash' | 'lost' };

/** Who takes part besides the customer's first request, and what befalls each. */
type Story = {
  token: string;
  decision: 'captured' | 'declined';
  actors: readonly { role: Role; mishap: Mishap | undefined }[];
};

type Role = 'purchase' | 'retry' | 'cancel' | 'recovery' | 'acquirer' | 'expiry' | 'time';

const RUNS = Number(process.env['MERCER_TEST_RUNS'] ?? 1_000);
const CANCELLED: Ending = { state: 'CANCELLED', reason: 'ORDER_CANCELLED', message: '', metadata: {} };

const mishap = fc.option(
  fc.record<Mishap>({
    line: fc.integer({ min: 1, max: 9 }),
    when: fc.constantFrom('before', 'after'),
    how: fc.constantFrom('crash', 'lost'),
  }),
  { nil: undefined },
);
const others = fc.constantFrom<Role>(
  'retry',
  'cancel',
  'recovery',
  'recovery',
  'acquirer',
  'expiry',
  'time',
  'time',
);
const story = fc.record<Story>({
  token: fc.constantFrom('tok_visa', 'tok_visa', 'tok_declined', 'tok_async', 'tok_review'),
  decision: fc.constantFrom('captured', 'declined'),
  actors: fc
    .tuple(mishap, fc.array(fc.record({ role: others, mishap }), { maxLength: 6 }))
    .map(([first, rest]) => [{ role: 'purchase' as const, mishap: first }, ...rest]),
});

test('whatever interleaves, crashes or gets lost, recovery ends every order with money and goods in place', async () => {
  await fc.assert(
    fc.asyncProperty(story, fc.scheduler(), async ({ token, decision, actors }, schedule) => {
      const shop = new Shop();
      const store = memoryStore();
      const orderId = randomUUID();
      const items = [{ productId: 'watch', quantity: 2 }];
      const first = store.begin({ orderId, customerId: 'alice', items });
      const stage: Stage = { shop, store, orderId, first, token, decision, schedule };
      await schedule.waitFor(
        Promise.allSettled(actors.map((actor) => act(actor.role, stage, mishaps(stage, actor.mishap)))),
      );
      await recoverAlone(stage);
      decide(stage);
      await recoverAlone(stage);
      const order = await store.find(orderId);
      assert.ok(order !== undefined && order.state !== 'PENDING');
      assert.ok(order.ending === undefined || order.state === order.ending.state);
      assertSettled(shop, order);
      assert.ok(order.history.length <= 3);
    }),
    { numRuns: RUNS },
  );
});

type Stage = {
  shop: Shop;
  store: MemoryStore;
  orderId: string;
  first: Order;
  token: string;
  decision: Story['decision'];
  schedule: fc.Scheduler;
};

async function act(role: Role, stage: Stage, work: SagaWork): Promise<unknown> {
  const { store, orderId, first, token: paymentToken, shop, schedule } = stage;
  const purchase = { ...work, paymentToken, expectedTotal: undefined };
  if (role === 'purchase') return drive(first, purchase);
  await schedule.schedule(Promise.resolve(), role);
  switch (role) {
    case 'retry': {
      const taken = await work.store.takeOver(orderId);
      return taken === undefined ? undefined : drive(taken, purchase);
    }
    case 'cancel': {
      const now = await store.find(orderId);
      const open = now?.ending === undefined && (now?.state === 'PENDING' || now?.state === 'CONFIRMED');
      return open && now !== undefined ? undo(now, work, CANCELLED) : undefined;
    }
    case 'recovery': {
      const sweeper = recovery({ ...work, grace: 0 });
      await sweeper.sweep();
      return sweeper.settled();
    }
    case 'acquirer':
      return decide(stage);
    case 'expiry':
      if (shop.reservations.get(orderId) === 'HELD') shop.reservations.set(orderId, 'FREE');
      return undefined;
    case 'time':
      return store.lapse();
  }
}

/** The acquirer decides a charge that waits for it. */
function decide({ shop, orderId, decision }: Stage): void {
  const account = shop.accounts.get(orderId);
  if (account?.state === 'waiting' || account?.state === 'review') account.state = decision;
}

/** Time passes, and one recovery works undisturbed; it may do anything but charge. */
async function recoverAlone({ shop, store }: Stage): Promise<void> {
  store.lapse();
  const before = shop.calls.filter((call) => call === 'chargeOrder').length;
  const sweeper = recovery({ ...calm(shop, store), grace: 0 });
  await sweeper.sweep();
  await sweeper.settled();
  assert.equal(shop.calls.filter((call) => call === 'chargeOrder').length, before);
}

function calm(shop: Shop, store: MemoryStore): SagaWork {
  const unused = (): never => {
    throw new Error('no purchase needs it');
  };
  const noRefunds = {
    beginRefund: unused,
    recordRefund: unused,
    dropRefund: unused,
    takeRefundsDue: unused,
  };
  return {
    store: { ...store, begin: unused, list: unused, ...noRefunds },
    stock: shop.stockPart,
    charges: shop.recoveryPart,
    events: silent(),
    leases: { hold: (_order, work) => work() },
    grace: 0,
  };
}

type Part = Record<string, (...given: never[]) => Promise<unknown>>;

/** Work whose every effect waits for its turn, and that meets its mishap at one of them. */
function mishaps({ shop, store, schedule }: Stage, mishap: Mishap | undefined): SagaWork {
  let line = 0;
  let dead = false;
  const meet = (when: Mishap['when'], at: number): void => {
    if (!dead && (mishap?.line !== at || mishap.when !== when)) return;
    dead ||= mishap?.how === 'crash';
    throw dead ? new Error('the process is dead') : new StatusError(status.UNAVAILABLE, 'lost');
  };
  const wrap = <T extends Part>(part: T): T =>
    new Proxy(part, {
      get:
        (target, name: string) =>
        async (...given: never[]) => {
          line += 1;
          const at = line;
          await schedule.schedule(Promise.resolve(), `before ${name}`);
          meet('before', at);
          const effect = await target[name]?.(...given);
          await schedule.schedule(Promise.resolve(), `after ${name}`);
          meet('after', at);
          return effect;
        },
    });
  const work = calm(shop, store);
  return { ...work, store: wrap(work.store), stock: wrap(work.stock), charges: wrap(work.charges) };
}
