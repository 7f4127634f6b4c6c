/** Tries the rules of progress by planted breaches, and what may take its time. */
import { PROGRESS_CHECKS } from './progress.ts';
import { HOUR, order, payment, tryPlants } from './planted-breach.fixture.ts';

tryPlants(PROGRESS_CHECKS, [
  {
    plant: 'a purchase that nobody finished',
    into: (books) => {
      order(books, 'begun').unchanged = HOUR;
    },
    flagged: ['stuck-order'],
    entity: 'order BEGUN',
  },
  {
    plant: 'an undo that nobody finished',
    into: (books) => {
      order(books, 'confirmed').ending = 'CANCELLED';
    },
    flagged: ['stuck-order'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'a capture that the payment service was never told of',
    into: (books) => {
      const { orderId, amount } = payment(books, 'under review');
      books.acquirerEntries.push({ kind: 'capture', orderId, amount, age: HOUR });
    },
    flagged: ['stuck-order', 'stuck-payment'],
    entity: 'order UNDER REVIEW',
  },
  {
    plant: 'a charge of which the acquirer never answered',
    into: (books) => {
      payment(books, 'under review').transactionId = '';
    },
    flagged: ['stuck-order', 'stuck-payment'],
    entity: 'order UNDER REVIEW',
  },
  {
    plant: 'a refund that nobody finished',
    into: (books) => {
      for (const refund of payment(books, 'refunding').refunds) refund.age = HOUR;
    },
    flagged: ['stuck-payment'],
    entity: 'order REFUNDING',
  },
  {
    plant: 'a failed order whose charge is still open',
    into: (books) => {
      payment(books, 'declined').state = 'PENDING';
    },
    flagged: ['stuck-payment'],
    entity: 'order DECLINED',
  },
]);
