/** A status keeps its code, reason and details over the wire. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { writeDetails } from './status-details.ts';
import { badRequest, StatusError, toStatusError } from './status-error.ts';

test('reason, metadata and details survive the wire', () => {
  const sent = new StatusError(status.FAILED_PRECONDITION, 'only 2 left', {
    reason: 'OUT_OF_STOCK',
    metadata: { product_id: 'a' },
    details: [{ type: 'google.rpc.RetryInfo', value: { retryDelay: { seconds: 3n, nanos: 0 } } }],
  });
  const received = toStatusError(wire(sent));
  assert.equal(received.code, status.FAILED_PRECONDITION);
  assert.equal(received.reason, 'OUT_OF_STOCK');
  assert.deepEqual({ ...received.metadata }, { product_id: 'a' });
  assert.deepEqual(received.details, sent.details);
});

test('a bad field is named in a BadRequest', () => {
  const received = toStatusError(wire(badRequest('lines[0].quantity', 'must be positive')));
  const [detail] = received.details;
  assert.equal(
    detail?.type === 'google.rpc.BadRequest' && detail.value.fieldViolations[0]?.field,
    'lines[0].quantity',
  );
});

test('details that cannot be read are left out', () => {
  const metadata = writeDetails(new StatusError(status.ABORTED, 'x'));
  metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff]));
  const received = toStatusError(
    Object.assign(new Error('x'), { code: status.ABORTED, details: 'x', metadata }),
  );
  assert.equal(received.code, status.ABORTED);
  assert.deepEqual(received.details, []);
});

test('an unexpected failure is INTERNAL and keeps its cause to itself', () => {
  const cause = new TypeError('password is hunter2');
  const error = toStatusError(cause);
  assert.equal(error.code, status.INTERNAL);
  assert.equal(error.message, 'internal error');
  assert.equal(error.cause, cause);
});

function wire(error: StatusError): Error {
  return Object.assign(new Error('wire'), {
    code: error.code,
    details: error.message,
    metadata: writeDetails(error),
  });
}
