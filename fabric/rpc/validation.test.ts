/** Requests that break a rule of the contract are refused naming the field. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateOrderRequest } from '#gen/mercer/order/v1/order_service.ts';
import { CreateProductRequest } from '#gen/mercer/product/v1/product_service.ts';
import { methodOf } from './descriptors.ts';
import { StatusError } from './status-error.ts';
import { validate } from './validation.ts';

test('a request that keeps every rule passes', () => {
  assert.deepEqual(fieldsRefused({ lines: [{ productId: 'a', quantity: 1 }], paymentToken: 'tok_visa' }), []);
});

test('a field inside a list is named with its index', () => {
  const lines = [
    { productId: 'a', quantity: 1 },
    { productId: 'b', quantity: 1001 },
  ];
  assert.deepEqual(fieldsRefused({ lines, paymentToken: 'tok_visa' }), ['lines[1].quantity']);
});

test('every field that breaks a rule is named at once', () => {
  assert.deepEqual(fieldsRefused({ lines: [], paymentToken: '4242 4242' }), ['lines', 'payment_token']);
});

test('a product twice in one order is refused', () => {
  const line = { productId: 'a', quantity: 1 };
  assert.deepEqual(fieldsRefused({ lines: [line, line], paymentToken: 'tok_visa' }), ['lines']);
});

test('a rule about a message as a whole names the field in it', () => {
  const input = methodOf('/mercer.product.v1.ProductService/CreateProduct')?.input;
  assert.ok(input);
  const bytes = CreateProductRequest.encode(
    CreateProductRequest.fromPartial({ product: { sku: 'x' } }),
  ).finish();
  assert.deepEqual(
    refusedBy(() => validate(input, bytes)),
    ['product.display_name', 'product.price'],
  );
});

function fieldsRefused(request: Parameters<typeof CreateOrderRequest.fromPartial>[0]): string[] {
  const input = methodOf('/mercer.order.v1.OrderService/CreateOrder')?.input;
  assert.ok(input);
  return refusedBy(() =>
    validate(input, CreateOrderRequest.encode(CreateOrderRequest.fromPartial(request)).finish()),
  );
}

function refusedBy(work: () => void): string[] {
  try {
    work();
    return [];
  } catch (error) {
    assert.ok(error instanceof StatusError);
    const [detail] = error.details;
    assert.equal(detail?.type, 'google.rpc.BadRequest');
    return detail.type === 'google.rpc.BadRequest'
      ? detail.value.fieldViolations.map(({ field }) => field).toSorted()
      : [];
  }
}
