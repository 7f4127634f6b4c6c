/** Tries the rules of payments by planted breaches. */
import { PAYMENT_CHECKS } from './payments.ts';
import { HOUR, order, payment, tryPlants } from './planted-breach.fixture.ts';

tryPlants(PAYMENT_CHECKS, [
  {
    plant: 'a double charge in the ledger',
    into: (books) => {
      const { orderId } = order(books, 'confirmed');
      const capture = books.paymentEntries.find((each) => each.orderId === orderId);
      if (capture !== undefined) books.paymentEntries.push({ ...capture });
    },
    flagged: ['money-capture', 'order-payment', 'money-net'],
    entity: 'payment payment-of-CONFIRMED of order CONFIRMED',
  },
  {
    plant: 'a capture of a payment that was declined',
    into: (books) => {
      const { paymentId, orderId, amount } = payment(books, 'declined');
      const entry = { paymentId, orderId, kind: 'CAPTURE', refundId: undefined, amount, age: HOUR } as const;
      books.paymentEntries.push(entry);
    },
    flagged: ['money-capture', 'money-net'],
    entity: 'payment payment-of-DECLINED of order DECLINED',
  },
  {
    plant: 'a capture of a payment that was forgotten',
    into: (books) => {
      const { orderId } = order(books, 'declined');
      const amount = { currencyCode: 'USD', minorUnits: 300n };
      const entry = { paymentId: 'gone', orderId, kind: 'CAPTURE', refundId: undefined, age: HOUR } as const;
      books.paymentEntries.push({ ...entry, amount });
    },
    flagged: ['money-capture', 'money-net'],
    entity: 'payment gone of order DECLINED',
  },
  {
    plant: 'refunds of more than was captured',
    into: (books) => {
      const { orderId } = order(books, 'refunded');
      const refunded = payment(books, 'refunded');
      const [first] = refunded.refunds;
      const entry = books.paymentEntries.find((each) => each.refundId === first?.refundId);
      if (first === undefined || entry === undefined) return;
      refunded.refunds.push({ ...first, refundId: 'extra' });
      refunded.claimed += first.amount;
      refunded.refunded += first.amount;
      books.paymentEntries.push({ ...entry, refundId: 'extra' });
      books.acquirerEntries.push({ ...entry, kind: 'refund', orderId });
    },
    flagged: ['money-refund', 'money-net'],
    entity: 'payment payment-of-REFUNDED of order REFUNDED',
  },
  {
    plant: 'a refund made without its entry',
    into: (books) => {
      const { orderId } = order(books, 'partly refunded');
      const index = books.paymentEntries.findIndex(
        (each) => each.orderId === orderId && each.kind === 'REFUND',
      );
      books.paymentEntries.splice(index, 1);
    },
    flagged: ['money-refund', 'money-net'],
    entity: 'payment payment-of-PARTLY REFUNDED of order PARTLY REFUNDED',
  },
]);
