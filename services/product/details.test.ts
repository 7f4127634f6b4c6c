/** What an update mask changes, and what it may not name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getOption } from '@bufbuild/protobuf';
import { registry } from '#fabric/rpc/descriptors.ts';
import { StatusError } from '#fabric/rpc/status-error.ts';
import { applyMask, FIELDS } from './details.ts';
import type { Details, GivenDetails } from './details.ts';

const CURRENT: Details = {
  sku: 'S-1',
  displayName: 'Aurora',
  description: 'A phone',
  category: 'phones',
  imageUri: '/images/aurora.svg',
  price: { currencyCode: 'USD', minorUnits: 100n },
  attributes: { color: 'black' },
};
const NOTHING: GivenDetails = {
  sku: '',
  displayName: '',
  description: '',
  category: '',
  imageUri: '',
  price: undefined,
  attributes: {},
};
const NEW_PRICE = { currencyCode: 'EUR', minorUnits: 90n };

test('a mask changes the fields it names and no other', () => {
  const given = { ...NOTHING, sku: 'S-2', description: 'Newer' };
  assert.deepEqual(applyMask(CURRENT, given, ['sku']), { ...CURRENT, sku: 'S-2' });
});

test('a named field that the message does not fill is cleared', () => {
  assert.deepEqual(applyMask(CURRENT, NOTHING, ['attributes', 'description']), {
    ...CURRENT,
    attributes: {},
    description: '',
  });
});

test('an empty mask stands for the fields that the message fills', () => {
  const given = { ...NOTHING, price: NEW_PRICE, attributes: { size: 'L' } };
  assert.deepEqual(applyMask(CURRENT, given, []), {
    ...CURRENT,
    price: NEW_PRICE,
    attributes: { size: 'L' },
  });
});

test('* replaces all that a client may set', () => {
  const given = { ...NOTHING, displayName: 'Borealis', price: NEW_PRICE };
  assert.deepEqual(applyMask(CURRENT, given, ['*']), given);
});

test('a path inside the price stands for the whole price', () => {
  const given = { ...NOTHING, price: NEW_PRICE };
  assert.deepEqual(applyMask(CURRENT, given, ['price.minor_units']).price, NEW_PRICE);
});

test('the id and the etag may be named, they change nothing', () => {
  assert.deepEqual(applyMask(CURRENT, NOTHING, ['product_id', 'etag']), CURRENT);
});

test('a field that only the server sets, or none knows, is refused by name', () => {
  for (const path of ['stock_available', 'state', 'create_time', 'update_time', 'colour']) {
    assert.throws(() => applyMask(CURRENT, NOTHING, [path]), refusal(`product.${path}`));
  }
});

test('no update leaves a product without name or price', () => {
  assert.throws(() => applyMask(CURRENT, NOTHING, ['display_name']), refusal('product.display_name'));
  assert.throws(() => applyMask(CURRENT, NOTHING, ['price']), refusal('product.price'));
});

test('a mask may name exactly the fields that the contract leaves to clients', () => {
  const message = registry.getMessage('mercer.product.v1.Product');
  const behavior = registry.getExtension('google.api.field_behavior');
  assert.ok(message !== undefined && behavior !== undefined);
  const open = message.fields.filter((field) => {
    const rules = getOption(field, behavior);
    return field.name !== 'etag' && Array.isArray(rules) && rules.length === 0;
  });
  assert.deepEqual(
    open.map((field) => field.name),
    Object.keys(FIELDS),
  );
});

function refusal(field: string): (error: unknown) => boolean {
  return (error) => error instanceof StatusError && error.metadata['field'] === field;
}
