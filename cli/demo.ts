/** `mercer demo`: a customer's order through the gateway, its payment, and its trace as a tree. */
import type { Command } from 'commander';
import { fabricCommand } from './fabric-options.ts';
import type { FabricOptions } from './fabric-options.ts';
import { placeOrder } from './demo/purchase.ts';
import type { Purchase } from './demo/purchase.ts';
import { readTrace } from './demo/trace.ts';
import { traceTree } from './demo/trace-tree.ts';
import { findFabric } from './launcher/fabric-state.ts';
import type { FabricState } from './launcher/fabric-state.ts';
import { amount, paint, table } from './terminal.ts';

export function demo(): Command {
  return fabricCommand('demo', 'Place an order as a customer; print it, its payment and its trace.').action(
    run,
  );
}

/** Uses the running fabric, or one that runs for the demo alone. */
async function run(options: FabricOptions): Promise<void> {
  const running = await findFabric(options);
  if (running !== undefined) {
    await show(running);
    return;
  }
  console.log(paint('dim', 'No fabric runs; one is started for the demo.'));
  const { runForAWhile } = await import('./demo/temporary-fabric.ts');
  await runForAWhile(options, show);
}

async function show(fabric: FabricState): Promise<void> {
  const purchase = await placeOrder(fabric);
  console.log(`\n${paint('bold', 'Order')}\n${orderTable(purchase)}`);
  console.log(`\n${paint('bold', 'Payment')}\n${paymentTable(purchase)}`);
  const { zipkin } = fabric.endpoints;
  console.log(`\n${paint('bold', 'Trace')} ${purchase.traceId}`);
  if (zipkin === undefined) console.log('  no collector runs (zipkin.url is empty)');
  else console.log(traceTree(await readTrace(zipkin, purchase.traceId)));
}

function orderTable({ order }: Purchase): string {
  const lines = order.lines.map((line) => [
    'line',
    `${line.quantity} x ${line.displayName}, ${amount(line.lineTotal)}`,
  ]);
  return indented([
    ['id', order.orderId],
    ['customer', order.customerId],
    ...lines,
    ['total', amount(order.total)],
    ['state', plain(order.state)],
    ...order.history.map(({ state, time, note }) => ['', `${time}  ${plain(state)}  ${note}`.trimEnd()]),
  ]);
}

function paymentTable({ payment }: Purchase): string {
  return indented([
    ['id', payment.paymentId],
    ['card', `${payment.cardBrand} ending in ${payment.cardLast4}`],
    ['amount', amount(payment.amount)],
    ['state', plain(payment.state)],
    ['acquirer', payment.transactionId],
  ]);
}

/** Enum values carry their type's prefix in JSON. */
function plain(state: string): string {
  return state.replace(/^STATE_/, '');
}

function indented(rows: string[][]): string {
  const styled = rows.map(([name = '', value = '']) => [`  ${paint('dim', name)}`, value]);
  return table(styled);
}
