/** Tries the rules that join payments with the acquirer's ledger by planted breaches. */
import { ACQUIRER_CHECKS } from './acquirer.ts';
import { HOUR, order, payment, tryPlants } from './planted-breach.fixture.ts';

tryPlants(ACQUIRER_CHECKS, [
  {
    plant: 'a second capture at the acquirer',
    into: (books) => {
      const { orderId } = order(books, 'confirmed');
      const capture = books.acquirerEntries.find((each) => each.orderId === orderId);
      if (capture !== undefined) books.acquirerEntries.push({ ...capture });
    },
    flagged: ['acquirer-capture'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'a capture at the acquirer that was voided',
    into: (books) => {
      const { orderId } = order(books, 'confirmed');
      const capture = books.acquirerEntries.find((each) => each.orderId === orderId);
      if (capture !== undefined) books.acquirerEntries.push({ ...capture, kind: 'void' });
    },
    flagged: ['acquirer-capture'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'a capture at the acquirer of a declined payment',
    into: (books) => {
      const { orderId, amount } = payment(books, 'declined');
      books.acquirerEntries.push({ kind: 'capture', orderId, amount, age: HOUR });
    },
    flagged: ['acquirer-capture'],
    entity: 'order DECLINED',
  },
  {
    plant: 'another currency at the acquirer',
    into: (books) => {
      const { orderId } = order(books, 'confirmed');
      const capture = books.acquirerEntries.find((each) => each.orderId === orderId);
      if (capture !== undefined) capture.amount = { ...capture.amount, currencyCode: 'EUR' };
    },
    flagged: ['acquirer-capture'],
    entity: 'order CONFIRMED',
  },
  {
    plant: 'a refund that the acquirer never made',
    into: (books) => {
      const { orderId } = order(books, 'cancelled');
      books.acquirerEntries = books.acquirerEntries.filter(
        (each) => each.orderId !== orderId || each.kind !== 'refund',
      );
    },
    flagged: ['acquirer-refund'],
    entity: 'order CANCELLED',
  },
]);
