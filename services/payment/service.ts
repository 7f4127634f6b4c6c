/** The RPCs of PaymentService: contract to store and acquirer, and back. */
import { ownedBy, requireUser } from '#fabric/rpc/call-context.ts';
import type { CallContext } from '#fabric/rpc/call-context.ts';
import type { PageTokens } from '#fabric/rpc/page-token.ts';
import type { Handlers } from '#fabric/rpc/service-definition.ts';
import { badRequest } from '#fabric/rpc/status-error.ts';
import type { Payment } from '#gen/mercer/payment/v1/payment.ts';
import type {
  ChargeOrderRequest,
  HandleAcquirerEventRequest,
  HandleAcquirerEventResponse,
  ListPaymentsRequest,
  ListPaymentsResponse,
  PaymentServiceService,
} from '#gen/mercer/payment/v1/payment_service.ts';
import { takeAcquirerEvent } from './acquirer-event.ts';
import type { EventOptions } from './acquirer-event.ts';
import { chargeOrder, resolveCharge } from './charge.ts';
import type { StoredPayment } from './entities.ts';
import { toPayment } from './payment-message.ts';
import { refundPayment } from './refund.ts';
import { paymentNotFound } from './refusals.ts';
import type { Dependencies } from './settle.ts';

/** What the service stands on. */
export type PaymentServiceOptions = Dependencies & EventOptions & { pageTokens: PageTokens };

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 100;

/** Handlers for every RPC of PaymentService. */
export function paymentService(options: PaymentServiceOptions): Handlers<PaymentServiceService> {
  return {
    getPayment: ({ paymentId }, call) => answer(getPayment(options, paymentId, call)),
    listPayments: (request, call) => listPayments(options, request, call),
    chargeOrder: (request, call) => answer(charge(options, request, call)),
    resolveCharge: ({ orderId }, call) => answer(resolveCharge(options, canonical(orderId), call)),
    refundPayment: (request, call) =>
      answer(refundPayment(options, { ...request, orderId: canonical(request.orderId) }, call)),
    handleAcquirerEvent: (request, call) => takeEvent(options, request, call),
  };
}

async function answer(payment: Promise<StoredPayment>): Promise<{ payment: Payment }> {
  return { payment: toPayment(await payment) };
}

async function getPayment(
  { store }: Dependencies,
  paymentId: string,
  call: CallContext,
): Promise<StoredPayment> {
  const payment = isUuid(paymentId) ? await store.find(paymentId) : undefined;
  if (payment === undefined || !ownedBy(call, payment.customerId))
    throw paymentNotFound({ payment_id: paymentId });
  return payment;
}

async function listPayments(
  { store, pageTokens }: PaymentServiceOptions,
  { orderId, pageSize, pageToken }: ListPaymentsRequest,
  call: CallContext,
): Promise<ListPaymentsResponse> {
  const { subject, roles } = requireUser(call);
  const customerId = roles.includes('ADMIN') ? undefined : subject;
  const bound = JSON.stringify(['payments', customerId, orderId]);
  const after = pageToken === '' ? undefined : (pageTokens.read(bound, pageToken) as string);
  if (orderId !== '' && !isUuid(orderId)) return { payments: [], nextPageToken: '' };
  const size = Math.min(pageSize === 0 ? DEFAULT_PAGE : pageSize, LARGEST_PAGE);
  // One more than asked for tells whether there is a next page.
  const query = { customerId, orderId: orderId === '' ? undefined : orderId, after, limit: size + 1 };
  const found = await store.list(query);
  const payments = found.slice(0, size);
  const last = payments.at(-1);
  return {
    payments: payments.map(toPayment),
    nextPageToken: found.length > size && last !== undefined ? pageTokens.sign(bound, last.paymentId) : '',
  };
}

async function charge(
  dependencies: Dependencies,
  request: ChargeOrderRequest,
  call: CallContext,
): Promise<StoredPayment> {
  const { amount, paymentToken } = request;
  const orderId = canonical(request.orderId);
  const customerId = requireUser(call).subject;
  if (amount === undefined) throw badRequest('amount', 'value is required');
  if (amount.minorUnits === 0n) throw badRequest('amount.minor_units', 'must be above 0');
  return chargeOrder(dependencies, { orderId, customerId, amount, token: paymentToken }, call);
}

async function takeEvent(
  options: EventOptions,
  { event }: HandleAcquirerEventRequest,
  { signature }: CallContext,
): Promise<HandleAcquirerEventResponse> {
  await takeAcquirerEvent(options, { body: event?.data ?? new Uint8Array(), signature });
  return {};
}

/** One spelling of each id (RFC 9562, section 4): the acquirer's keys are made of it. */
function canonical(orderId: string): string {
  return orderId.toLowerCase();
}

function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu.test(id);
}
