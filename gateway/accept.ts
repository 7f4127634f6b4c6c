/** What a client wants to read, by its Accept header (RFC 9110, section 12.5.1). */

/** One media range with its quality, 0 to 1. */
type MediaRange = { type: string; quality: number };

/** The offer that a client likes best among those it names itself; undefined when it names none of them. */
export function preferred<T extends string>(accept: string | undefined, offers: readonly T[]): T | undefined {
  const ranges = (accept ?? '').split(',').map(readRange);
  let best: { offer: T; quality: number } | undefined;
  for (const { type, quality } of ranges) {
    const offer = offers.find((each) => each === type);
    if (offer !== undefined && quality > (best?.quality ?? 0)) best = { offer, quality };
  }
  return best?.offer;
}

function readRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((each) => each.startsWith('q='))?.slice(2) ?? '1';
  const value = Number(quality);
  return { type, quality: Number.isNaN(value) ? 0 : value };
}
