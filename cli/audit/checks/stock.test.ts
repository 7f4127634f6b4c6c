/** Tries the rules of stock by planted breaches. */
import { STOCK_CHECKS } from './stock.ts';
import { HOUR, order, reservation, shelf, tryPlants } from './planted-breach.fixture.ts';

tryPlants(STOCK_CHECKS, [
  {
    plant: 'a product oversold below zero',
    into: (books) => {
      shelf(books).available -= 1_000_000n;
      shelf(books).sold += 1_000_000n;
    },
    flagged: ['stock-floor', 'stock-ledger', 'stock-reservations'],
    entity: 'product product-0',
  },
  {
    plant: 'a unit that vanished from the shelf',
    into: (books) => {
      shelf(books).available -= 1n;
    },
    flagged: ['stock-balance', 'stock-ledger'],
    entity: 'product product-0',
  },
  {
    plant: 'a delivery that no ledger knows',
    into: (books) => {
      shelf(books).available += 5n;
      shelf(books).delivered += 5n;
    },
    flagged: ['stock-ledger'],
    entity: 'product product-0',
  },
  {
    plant: 'a ledger of a product without stock',
    into: (books) => {
      books.shelves.push({
        productId: 'ghost',
        row: undefined,
        posted: { available: 1n, reserved: 0n, sold: 0n, delivered: 1n },
      });
    },
    flagged: ['stock-ledger'],
    entity: 'product ghost',
  },
  {
    plant: 'a reservation that was released twice',
    into: (books) => {
      for (const counts of [books.shelves[0]?.row, books.shelves[0]?.posted]) {
        if (counts === undefined) continue;
        counts.available += 3n;
        counts.reserved -= 3n;
      }
    },
    flagged: ['stock-reservations'],
    entity: 'product product-0',
  },
  {
    plant: 'a sale that no ledger knows',
    into: (books) => {
      const movement = books.movements.find(({ orderId }) => orderId === order(books, 'confirmed').orderId);
      if (movement !== undefined) movement.sold = 0n;
    },
    flagged: ['reservation-ledger'],
    entity: 'order CONFIRMED, product product-0',
  },
  {
    plant: 'a line that is still held after its release',
    into: (books) => {
      for (const line of reservation(books, 'declined').lines) line.held = true;
    },
    flagged: ['reservation-ledger', 'stock-reservations'],
    entity: 'order DECLINED, product product-0',
  },
  {
    plant: 'movements of an order without a reservation',
    into: (books) => {
      const { orderId } = order(books, 'begun');
      books.movements.push({ orderId, productId: 'product-0', reserved: 2n, sold: 0n, unchanged: HOUR });
    },
    flagged: ['reservation-ledger'],
    entity: 'order BEGUN, product product-0',
  },
]);
