/** Reserving, committing and releasing stock for sets of orders; every function is one transaction's work. */
import type { EntityManager } from '@mikro-orm/postgresql';
import { allocate, commit, movement, release, repeat } from './domain.ts';
import type { Allocation, Demand, PricedLine, Refusal, Settlement } from './domain.ts';
import {
  claim,
  insertLines,
  lockReservations,
  readReservations,
  settleReservations,
  unclaim,
} from './reservation-rows.ts';
import { lockShelf, post, reclaimExpired } from './stock-ledger.ts';

/** What a demand got: its priced lines until they run out, or why it got nothing. */
export type Held = { orderId: string } & ({ lines: PricedLine[]; expireTime: Date } | { refusal: Refusal });

/** What became of an order's reservation; no refusal when it was done, now or before. */
export type Settled = { orderId: string; refusal?: Refusal };

/**
 * Holds stock for orders, each wholly or not at all, for `ttl` ms of the database's clock. An order seen
 * before is answered from its first reservation. Each order occurs once.
 */
export async function holdStock(tx: EntityManager, demands: readonly Demand[], ttl: number): Promise<Held[]> {
  const claimed = await claim(tx, ids(demands), 'HELD');
  const fresh = demands.filter(({ orderId }) => claimed.has(orderId));
  const known = demands.filter(({ orderId }) => !claimed.has(orderId));
  return inOrder(demands, [...(await holdFresh(tx, fresh, ttl)), ...(await holdAgain(tx, known))]);
}

/** Sells what orders hold. Units that ran out and went to others are taken from the shelf again, or refused. */
export async function commitStock(tx: EntityManager, orderIds: readonly string[]): Promise<Settled[]> {
  const { reservations, available } = await lockReservations(tx, orderIds);
  let settlements = commit(reservations, available);
  if (settlements.some((each) => isRefused(each, 'RESERVATION_EXPIRED'))) {
    const shelf = await reclaimExpired(tx, [...available.keys()], orderIds);
    settlements = commit(reservations, new Map([...shelf].map(([id, offer]) => [id, offer.available])));
  }
  await settle(tx, settlements, 'COMMITTED');
  const outcomes = new Map(settlements.map((each) => [each.orderId, each]));
  return orderIds.map((orderId) => toSettled(orderId, outcomes.get(orderId)));
}

/** Brings back to the shelf what orders hold or bought; an unknown order is barred from reserving later. */
export async function releaseStock(tx: EntityManager, orderIds: readonly string[]): Promise<Settled[]> {
  await claim(tx, orderIds, 'BARRED');
  const { reservations } = await lockReservations(tx, orderIds);
  const open = reservations.filter(({ state }) => state === 'HELD' || state === 'COMMITTED');
  const settlements = open.map((each) => ({ orderId: each.orderId, movements: release(each) }));
  await settle(tx, settlements, 'RELEASED');
  return orderIds.map((orderId) => ({ orderId }));
}

async function holdFresh(tx: EntityManager, demands: readonly Demand[], ttl: number): Promise<Held[]> {
  if (demands.length === 0) return [];
  const allocations = await allocateLocked(tx, demands);
  const lines = allocations.flatMap((each) =>
    'lines' in each ? each.lines.map((line) => ({ ...line, orderId: each.orderId })) : [],
  );
  await post(
    tx,
    lines.map((line) => movement('RESERVE', line, line.orderId)),
  );
  const expireTime = await insertLines(tx, lines, ttl);
  await unclaim(tx, ids(allocations.filter((each) => 'refusal' in each)));
  return allocations.map((each) => ({ ...each, expireTime }));
}

/** Only when the shelf looks too bare are reservations that ran out brought back to it. */
async function allocateLocked(tx: EntityManager, demands: readonly Demand[]): Promise<Allocation[]> {
  const productIds = demands.flatMap(({ lines }) => lines.map((line) => line.productId));
  const allocations = allocate(demands, await lockShelf(tx, productIds));
  if (!allocations.some((each) => isRefused(each, 'OUT_OF_STOCK'))) return allocations;
  return allocate(demands, await reclaimExpired(tx, productIds));
}

async function holdAgain(tx: EntityManager, demands: readonly Demand[]): Promise<Held[]> {
  if (demands.length === 0) return [];
  const first = new Map((await readReservations(tx, ids(demands))).map((each) => [each.orderId, each]));
  return demands.flatMap((demand) => {
    const reservation = first.get(demand.orderId);
    if (reservation === undefined) return [];
    const expireTime = reservation.lines[0]?.expireTime ?? new Date(0);
    return [{ ...repeat(demand, reservation), expireTime }];
  });
}

async function settle(
  tx: EntityManager,
  settlements: readonly Settlement[],
  state: 'COMMITTED' | 'RELEASED',
): Promise<void> {
  const done = settlements.filter((each) => 'movements' in each);
  await settleReservations(tx, ids(done), state);
  await post(
    tx,
    done.flatMap((each) => each.movements),
  );
}

function toSettled(orderId: string, settlement: Settlement | undefined): Settled {
  if (settlement === undefined) return { orderId, refusal: { reason: 'RESERVATION_NOT_FOUND', orderId } };
  return 'refusal' in settlement ? { orderId, refusal: settlement.refusal } : { orderId };
}

function isRefused(outcome: Allocation | Settlement, reason: Refusal['reason']): boolean {
  return 'refusal' in outcome && outcome.refusal.reason === reason;
}

function inOrder<T extends { orderId: string }>(asked: readonly { orderId: string }[], answers: T[]): T[] {
  const byOrder = new Map(answers.map((each) => [each.orderId, each]));
  return asked.flatMap(({ orderId }) => byOrder.get(orderId) ?? []);
}

function ids(each: readonly { orderId: string }[]): string[] {
  return each.map(({ orderId }) => orderId);
}
