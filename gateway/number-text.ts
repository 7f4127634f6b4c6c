/** Exact numbers out of their decimal text, as JSON writes them. */

const NUMBER = /^(?<sign>-?)(?<whole>0|[1-9]\d*)(?:\.(?<fraction>\d+))?(?:[eE](?<exponent>[+-]?\d+))?$/u;
/** 2^64 has 20 digits; a longer number is out of every range, and is not worth computing. */
const MOST_DIGITS = 20;

/** The integer that a JSON number stands for, without rounding: "1.50e1" is 15. Undefined for any other text. */
export function integerOf(text: string): bigint | undefined {
  const parts = NUMBER.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const fraction = parts['fraction'] ?? '';
  const digits = `${parts['whole']}${fraction}`.replace(/^0+/u, '');
  const significant = digits.slice(0, lengthWithoutZeros(digits));
  if (significant === '') return 0n;
  const zeros = Number(parts['exponent'] ?? '0') - fraction.length + digits.length - significant.length;
  if (zeros < 0 || significant.length + zeros > MOST_DIGITS) return undefined;
  return BigInt(`${parts['sign']}${significant}${'0'.repeat(zeros)}`);
}

/** The nearest double; undefined for text that is no JSON number, and for numbers beyond the range of a double. */
export function doubleOf(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A loop, because /0+$/ takes quadratic time on zeros that do not end the text. */
function lengthWithoutZeros(digits: string): number {
  let length = digits.length;
  while (digits[length - 1] === '0') length -= 1;
  return length;
}
