/** The catalogue keeps the rules of the shop, and each of its products has its picture. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateProductRequest } from '#gen/mercer/product/v1/product_service.ts';
import { registry } from '#fabric/rpc/descriptors.ts';
import { validate } from '#fabric/rpc/validation.ts';
import { CATALOGUE, ITEMS, productsOf } from './catalogue.ts';
import { picture } from './pictures/picture.ts';

const IMAGES = join(import.meta.dirname, 'images');

test('there are at least sixty products on six shelves', () => {
  assert.ok(CATALOGUE.length >= 60, `${CATALOGUE.length}`);
  assert.deepEqual(
    [...new Set(CATALOGUE.map(({ category }) => category))],
    ['phones', 'laptops', 'tablets', 'watches', 'audio', 'accessories'],
  );
});

test('ids, names and descriptions are each product’s own', () => {
  for (const field of ['productId', 'sku', 'displayName', 'description'] as const)
    assert.equal(new Set(CATALOGUE.map((product) => product[field])).size, CATALOGUE.length, field);
});

test('every product can be ordered at a price', () => {
  for (const { productId, price, stockAvailable } of CATALOGUE) {
    assert.equal(price?.currencyCode, 'USD');
    assert.ok(price.minorUnits >= 100n && price.minorUnits < 1_000_000n, productId);
    assert.ok(stockAvailable > 0, productId);
  }
});

test('the contract admits every product, also those beyond the catalogue', () => {
  const contract = registry.getMessage('mercer.product.v1.CreateProductRequest');
  assert.ok(contract);
  for (const product of productsOf(CATALOGUE.length * 2 + 5)) {
    const request = CreateProductRequest.fromPartial({ product, productId: product.productId });
    validate(contract, CreateProductRequest.encode(request).finish());
  }
});

test('so many products are made as are asked for, the catalogue first', () => {
  assert.deepEqual(productsOf(0), []);
  assert.deepEqual(productsOf(3), CATALOGUE.slice(0, 3));
  const many = productsOf(CATALOGUE.length + 200);
  assert.equal(new Set(many.map(({ productId }) => productId)).size, CATALOGUE.length + 200);
  const [first] = many.slice(CATALOGUE.length);
  assert.deepEqual(
    [first?.productId, first?.category, first?.imageUri, first?.price],
    ['sample-0001', CATALOGUE[0]?.category, CATALOGUE[0]?.imageUri, CATALOGUE[0]?.price],
  );
});

test('there is one picture for every product and none besides', () => {
  assert.deepEqual(readdirSync(IMAGES).toSorted(), ITEMS.map(({ id }) => `${id}.svg`).toSorted());
  for (const { imageUri } of CATALOGUE)
    assert.ok(readdirSync(IMAGES).includes(imageUri.replace('/images/', '')));
});

for (const item of ITEMS) {
  test(`drawing ${item.id} again gives the same bytes, below 3 KB`, () => {
    const kept = readFileSync(join(IMAGES, `${item.id}.svg`));
    assert.equal(kept.toString('utf8'), picture(item), 'run: node dev/seed/draw-pictures.ts');
    assert.ok(kept.length < 3_000);
  });
}

test('a name cannot break out of its picture', () => {
  const drawn = picture({ name: '"><script>', shape: 'phone', colour: 'black' });
  assert.match(drawn, /aria-label="&quot;&gt;&lt;script&gt;"/u);
});

test('pictures bring nothing from elsewhere', () => {
  for (const file of readdirSync(IMAGES)) {
    const text = readFileSync(join(IMAGES, file), 'utf8');
    assert.ok(!/href|script|style|url\((?!#)/u.test(text.replace('http://www.w3.org/2000/svg', '')), file);
  }
});
