/** Draws the picture of a product as an SVG file. */
import { shadesOf } from './colours.ts';
import type { Colour } from './colours.ts';
import { SHAPES } from './shape.ts';
import type { Shape } from './shape.ts';

/** What is drawn. */
export type Subject = { name: string; shape: Shape; colour: Colour };

const XML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** An SVG document below 3 KB, always the same for the same subject; 240 units square, with a tinted ground. */
export function picture({ name, shape, colour }: Subject): string {
  const shades = shadesOf(colour);
  const label = name.replaceAll(/[&<>"]/gu, (character) => XML[character] ?? '');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240" role="img" aria-label="${label}">
<defs><linearGradient id="b" x2="0" y2="1"><stop stop-color="#fbfcfd"/><stop offset="1" stop-color="${shades.glow}"/></linearGradient>
<linearGradient id="m" x2="1" y2="1"><stop stop-color="${shades.light}"/><stop offset=".5" stop-color="${shades.body}"/><stop offset="1" stop-color="${shades.dark}"/></linearGradient>
<linearGradient id="s" x2=".6" y2="1"><stop stop-color="${shades.edge}"/><stop offset=".55" stop-color="${shades.body}"/><stop offset="1" stop-color="${shades.glow}"/></linearGradient></defs>
<rect width="240" height="240" fill="url(#b)"/><ellipse cx="120" cy="212" rx="76" ry="9" fill="#10131a" opacity=".12"/>
${SHAPES[shape](shades)}
</svg>
`;
}
