/** Reads the books of all owners, as of almost the same moment. */
import { readAcquirerBook } from './acquirer-book.ts';
import type { Books } from './books.ts';
import { readOrderBook } from './order-book.ts';
import { readPaymentBook } from './payment-book.ts';
import { readProductBook } from './product-book.ts';
import { Snapshot } from './snapshot.ts';

/** Owner URLs of the databases, and the acquirer's base URL. */
export type Sources = { product: string; order: string; payment: string; acquirer: string };

/** The connections stand before the first snapshot is taken, so that the moments lie close together. */
export async function readBooks(sources: Sources): Promise<Books> {
  await using stack = new AsyncDisposableStack();
  const product = stack.use(new Snapshot('product', sources.product));
  const order = stack.use(new Snapshot('order', sources.order));
  const payment = stack.use(new Snapshot('payment', sources.payment));
  const snapshots = [product, order, payment];
  await Promise.all(snapshots.map((snapshot) => snapshot.connect()));
  await Promise.all(snapshots.map((snapshot) => snapshot.begin()));
  const [acquirerEntries, ...books] = await Promise.all([
    readAcquirerBook(sources.acquirer),
    readProductBook(product),
    readOrderBook(order),
    readPaymentBook(payment),
  ]);
  const [products, orders, payments] = books;
  return { ...products, ...orders, ...payments, acquirerEntries };
}
