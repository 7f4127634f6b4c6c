/** Exact amounts in sentences and sums. */
import type { Money } from '../books.ts';

/** "1250 USD": minor units, as the rows have them. */
export function amount({ minorUnits, currencyCode }: Money): string {
  return `${minorUnits} ${currencyCode}`;
}

/** Whether both are the same amount of the same currency. */
export function sameAmount(one: Money, other: Money): boolean {
  return one.minorUnits === other.minorUnits && one.currencyCode === other.currencyCode;
}

/** The sum of numbers. */
export function sum(numbers: readonly bigint[]): bigint {
  return numbers.reduce((total, number) => total + number, 0n);
}
