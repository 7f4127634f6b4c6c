/** Draws what charges. */
import type { Shades } from './colours.ts';

/** A coiled cable with two plugs. */
export function cable({ body, edge, light }: Shades): string {
  const path = 'M76 62c-44 40-30 126 40 126s96-60 60-98-104-20-104 34 60 62 88 30q18-24 8-48';
  const plug = `<rect x="-11" y="-30" width="22" height="34" rx="6" fill="url(#m)" stroke="${edge}"/><rect x="-6.5" y="-44" width="13" height="15" rx="3" fill="#cfd4da" stroke="#979ea8"/>`;
  return `<path d="${path}" fill="none" stroke="${edge}" stroke-width="10" stroke-linecap="round"/>
<path d="${path}" fill="none" stroke="${body}" stroke-width="7.5" stroke-linecap="round"/>
<path d="${path}" fill="none" stroke="${light}" stroke-width="2" stroke-dasharray="3 4" opacity=".7"/>
<g transform="translate(76 62) rotate(38)">${plug}</g><g transform="translate(168 106) rotate(-18)">${plug}</g>`;
}

/** A cube that goes into the wall. */
export function adapter({ edge, light, dark }: Shades): string {
  return `<rect x="96" y="30" width="12" height="34" rx="3" fill="#cfd4da" stroke="#979ea8"/><rect x="134" y="30" width="12" height="34" rx="3" fill="#cfd4da" stroke="#979ea8"/>
<rect x="60" y="60" width="120" height="140" rx="26" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<rect x="70" y="70" width="100" height="120" rx="18" fill="none" stroke="${light}" opacity=".8"/>
<rect x="96" y="160" width="48" height="15" rx="7.5" fill="#1a1d23" stroke="${dark}"/><rect x="103" y="166" width="34" height="3" rx="1.5" fill="#545c69"/>
<path d="M124 92l-18 26h14l-4 22 18-28h-14z" fill="${dark}" opacity=".5"/>`;
}

/** A disc that holds on by magnets. */
export function puck({ edge, light, body }: Shades): string {
  return `<path d="M120 150c0 60 70 10 78 58" fill="none" stroke="${edge}" stroke-width="8"/><path d="M120 150c0 60 70 10 78 58" fill="none" stroke="#f3f4f6" stroke-width="6"/>
<circle cx="112" cy="106" r="66" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<circle cx="112" cy="106" r="57" fill="#fafbfc" stroke="${light}"/><circle cx="112" cy="106" r="38" fill="none" stroke="${body}" stroke-width="2" opacity=".6"/>
<path d="M116 86l-14 22h11l-3 18 14-23h-11z" fill="${edge}" opacity=".6"/>`;
}
