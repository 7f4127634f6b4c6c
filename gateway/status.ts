/** Which HTTP status an outcome has: google.rpc.Code's own (code.proto), refined by reason. */
import { status } from '@grpc/grpc-js';

/** As google/rpc/code.proto maps them; 499 is nginx's "client closed request". */
const BY_CODE: Readonly<Record<status, number>> = {
  [status.OK]: 200,
  [status.CANCELLED]: 499,
  [status.UNKNOWN]: 500,
  [status.INVALID_ARGUMENT]: 400,
  [status.DEADLINE_EXCEEDED]: 504,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.PERMISSION_DENIED]: 403,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.FAILED_PRECONDITION]: 400,
  [status.ABORTED]: 409,
  [status.OUT_OF_RANGE]: 400,
  [status.UNIMPLEMENTED]: 501,
  [status.INTERNAL]: 500,
  [status.UNAVAILABLE]: 503,
  [status.DATA_LOSS]: 500,
  [status.UNAUTHENTICATED]: 401,
};

/** Where a reason says more than its code. */
const BY_REASON: ReadonlyMap<string, number> = new Map([
  ['OUT_OF_STOCK', 409],
  ['PRODUCT_ARCHIVED', 409],
  ['PRICE_CHANGED', 409],
  ['PAYMENT_DECLINED', 402],
  ['IDEMPOTENCY_KEY_REUSED', 422],
  ['IDEMPOTENCY_IN_PROGRESS', 409],
  ['METHOD_NOT_ALLOWED', 405],
  ['REQUEST_TIMEOUT', 408],
  ['BODY_TOO_LARGE', 413],
  ['TARGET_TOO_LONG', 414],
  ['UNSUPPORTED_MEDIA_TYPE', 415],
  ['UNSUPPORTED_CONTENT_ENCODING', 415],
  ['EXPECTATION_FAILED', 417],
  ['HEADERS_TOO_LARGE', 431],
]);

/** The HTTP status of a code with its reason. A code that is none of gRPC's is a 500. */
export function httpStatus(code: status, reason: string | undefined): number {
  return BY_REASON.get(reason ?? '') ?? BY_CODE[code] ?? 500;
}
