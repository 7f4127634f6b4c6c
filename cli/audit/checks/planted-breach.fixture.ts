/** Plants one fault in books that have none, and tries which checks name it. */
import { deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Books, Counts, Order, Payment, Reservation } from '../books.ts';
import { booksOf, COURSES, PASSING } from '../honest-shop.fixture.ts';
import type { Course } from '../honest-shop.fixture.ts';
import { judge } from '../judge.ts';
import type { Check } from './check.ts';

/** In ms. */
export const HOUR = 3_600_000;

/** A fault; `flagged` are all checks that see it, `entity` is what the first of them names, courses for ids. */
export type Plant = { plant: string; into: (books: Books) => void; flagged: string[]; entity: string };

/** Tries each plant, and that there is one for each of the checks. */
export function tryPlants(checks: readonly Check[], plants: readonly Plant[]): void {
  for (const { plant, into, flagged, entity } of plants) {
    test(`${plant} is a breach of ${flagged.join(', ')}`, () => {
      const books = settledBooks();
      into(books);
      const breaches = breachesOf(books);
      deepEqual([...new Set(breaches.map(({ id }) => id))].toSorted(), flagged.toSorted());
      const [check] = flagged;
      ok(
        breaches.some((each) => each.id === check && each.entity === entity),
        JSON.stringify(breaches),
      );
    });
  }
  test('each of these checks has been seen to fail', () => {
    const seen = new Set(plants.map(({ flagged: [check = ''] }) => check));
    deepEqual([...seen].toSorted(), checks.map(({ id }) => id).toSorted());
  });
}

/** One purchase of each course, an hour old unless it cannot stay as it is. */
export function settledBooks(): Books {
  return booksOf(
    COURSES.map((course) => ({ course, quantities: [3], age: PASSING.includes(course) ? 15_000 : HOUR })),
  );
}

/** What the checks find, with the course in place of the order's id. */
export function breachesOf(books: Books): { id: string; entity: string }[] {
  return judge(books).flatMap(({ id, suspicions }) =>
    suspicions.map(({ entity }) => ({ id, entity: withCourse(entity) })),
  );
}

/** The order of a course, and below what else is known of it. */
export function order(books: Books, course: Course): Order {
  return known(books.orders[COURSES.indexOf(course)]);
}

export function payment(books: Books, course: Course): Payment {
  const { orderId } = order(books, course);
  return known(books.payments.find((each) => each.orderId === orderId));
}

export function reservation(books: Books, course: Course): Reservation {
  const { orderId } = order(books, course);
  return known(books.reservations.find((each) => each.orderId === orderId));
}

/** The stock of the product that all of them bought. */
export function shelf(books: Books): Counts {
  return known(books.shelves[0]?.row);
}

function withCourse(entity: string): string {
  return entity.replaceAll(/00000000-0000-7000-8000-(\d{12})/gu, (_, index: string) =>
    (COURSES[Number(index)] ?? '').toUpperCase(),
  );
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the books do not have it');
  return value;
}
