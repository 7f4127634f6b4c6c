/** What an order costs, pure: line totals, the sum, and quotes. */
import type { Item, Line, Money, Refusal } from './domain.ts';

/** The largest amount that the contract's Money allows, in minor units. */
export const MAX_TOTAL = 1_000_000_000_000_000n;

/** A line that has a price. */
export type PricedLine = Line & { unitPrice: Money };

/** The lines with their prices; a line without one is a defect of whoever priced them. */
export function priced(lines: readonly Line[]): PricedLine[] {
  return lines.map(({ unitPrice, ...line }) => {
    if (unitPrice === undefined) throw new Error(`product ${line.productId} has no price`);
    return { ...line, unitPrice };
  });
}

/** quantity x unit price. */
export function lineTotal({ quantity, unitPrice }: Pick<PricedLine, 'quantity' | 'unitPrice'>): Money {
  return { ...unitPrice, minorUnits: BigInt(quantity) * unitPrice.minorUnits };
}

/** The sum of lines in one currency, or why there is none. */
export function totalOf(lines: readonly PricedLine[]): { total: Money } | { refusal: Refusal } {
  const currencies = [...new Set(lines.map((line) => line.unitPrice.currencyCode))];
  const [currencyCode = ''] = currencies;
  if (currencies.length !== 1) return { refusal: mixedCurrencies(currencies) };
  const minorUnits = lines.reduce((sum, line) => sum + lineTotal(line).minorUnits, 0n);
  return minorUnits > MAX_TOTAL ? { refusal: totalTooLarge() } : { total: { currencyCode, minorUnits } };
}

/** The total, unless it is not what the customer saw. */
export function agreedTotal(
  lines: readonly PricedLine[],
  expected: Money | undefined,
): { total: Money } | { refusal: Refusal } {
  const sum = totalOf(lines);
  if (expected === undefined || 'refusal' in sum || sameAmount(sum.total, expected)) return sum;
  return { refusal: priceChanged(expected, sum.total) };
}

/** A product as a quote needs it. */
export type Offer = { productId: string; unitPrice: Money; stockAvailable: number; sold: boolean };

/** One line of a quote. */
export type QuotedLine = Item & { unitPrice: Money; lineTotal: Money; stockAvailable: number };

/** A product of which there is not enough. */
export type Shortage = { productId: string; requested: number; available: number };

/** Lines priced, in the order asked, and what is short of them. */
export type Quote = { lines: QuotedLine[]; total: Money; short: Shortage[] };

/** Prices items by offers of the same products. A shortage is part of the answer, an archived product refuses it. */
export function quote(items: readonly Item[], offers: readonly Offer[]): Quote | { refusal: Refusal } {
  const byProduct = new Map(offers.map((offer) => [offer.productId, offer]));
  const lines: QuotedLine[] = [];
  for (const { productId, quantity } of items) {
    const offer = byProduct.get(productId);
    if (offer === undefined) return { refusal: productNotFound(productId) };
    if (!offer.sold) return { refusal: productArchived(productId) };
    const { unitPrice, stockAvailable } = offer;
    const total = lineTotal({ quantity, unitPrice });
    lines.push({ productId, quantity, unitPrice, lineTotal: total, stockAvailable });
  }
  const sum = totalOf(lines.map((line) => ({ ...line, displayName: '' })));
  return 'refusal' in sum ? sum : { lines, total: sum.total, short: shortages(lines) };
}

function shortages(lines: readonly QuotedLine[]): Shortage[] {
  return lines
    .filter((line) => line.stockAvailable < line.quantity)
    .map(({ productId, quantity, stockAvailable }) => ({
      productId,
      requested: quantity,
      available: stockAvailable,
    }));
}

function sameAmount(one: Money, other: Money): boolean {
  return one.currencyCode === other.currencyCode && one.minorUnits === other.minorUnits;
}

function mixedCurrencies(currencies: readonly string[]): Refusal {
  const metadata = { currencies: currencies.join(',') };
  return { reason: 'MIXED_CURRENCIES', message: 'all lines must be in one currency', metadata };
}

function totalTooLarge(): Refusal {
  const metadata = { limit: String(MAX_TOTAL) };
  return { reason: 'TOTAL_TOO_LARGE', message: `a total is at most ${MAX_TOTAL} minor units`, metadata };
}

function priceChanged(expected: Money, total: Money): Refusal {
  const metadata = { expected_total: amountText(expected), total: amountText(total) };
  return { reason: 'PRICE_CHANGED', message: `the total is ${metadata.total} now`, metadata };
}

function productNotFound(productId: string): Refusal {
  const metadata = { product_id: productId };
  return { reason: 'PRODUCT_NOT_FOUND', message: `there is no product ${productId}`, metadata };
}

function productArchived(productId: string): Refusal {
  const metadata = { product_id: productId };
  return { reason: 'PRODUCT_ARCHIVED', message: `product ${productId} is archived`, metadata };
}

function amountText({ currencyCode, minorUnits }: Money): string {
  return `${currencyCode} ${minorUnits}`;
}
