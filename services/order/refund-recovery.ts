/** Finishes refunds whose call died or lost its answer, each by its own key. */
import { withSpan } from '#fabric/telemetry/tracing.ts';
import type { Return } from './charges.ts';
import type { SagaWork } from './saga.ts';
import { finishRefund } from './taking-back.ts';

/** Refunds at once. */
const AT_ONCE = 16;

/** Finishes what is due; resolves when it is done. What fails is due again 10 s later, and is never given up. */
export async function recoverRefunds(work: SagaWork): Promise<void> {
  const due = await work.store.takeRefundsDue(AT_ONCE);
  await Promise.all(due.map((refund) => recover(refund, work)));
}

async function recover(refund: Return, work: SagaWork): Promise<void> {
  const { orderId } = refund;
  try {
    const attributes = { 'mercer.order_id': orderId };
    await withSpan('recover refund', { attributes }, () => finishRefund(refund, work));
    work.events.refunded(orderId);
  } catch (error) {
    work.events.unrefunded(orderId, error);
  }
}
