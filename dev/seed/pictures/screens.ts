/** Draws laptops and tablets. */
import type { Shades } from './colours.ts';

/** An open laptop from the front. */
export function laptop({ light, dark, edge, glow }: Shades): string {
  return `<g transform="translate(0 26)"><rect x="42" y="50" width="156" height="108" rx="9" fill="#15171c" stroke="${edge}" stroke-width="1.5"/>
<rect x="48" y="56" width="144" height="96" rx="4" fill="url(#s)"/>
<path d="M48 120q44-42 84-10t60-14v52a4 4 0 0 1-4 4H52a4 4 0 0 1-4-4z" fill="${glow}" opacity=".5"/>
<path d="M108 56h24v3q0 4-4 4h-16q-4 0-4-4z" fill="#15171c"/>
<path d="M20 160h200v6q0 10-12 10H32q-12 0-12-10z" fill="url(#m)" stroke="${edge}"/>
<path d="M98 160h44q0 7-6 7h-32q-6 0-6-7z" fill="${dark}"/>
<path d="M21 161.5h198" stroke="${light}"/></g>`;
}

/** A tablet standing upright. */
export function tablet({ dark, edge, glow }: Shades): string {
  return `<rect x="54" y="28" width="132" height="178" rx="14" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<rect x="58" y="32" width="124" height="170" rx="11" fill="#0e1014"/>
<rect x="64" y="38" width="112" height="158" rx="6" fill="url(#s)"/>
<path d="M64 140q30-50 62-20t50-12v82a6 6 0 0 1-6 6H70a6 6 0 0 1-6-6z" fill="${glow}" opacity=".5"/>
<circle cx="120" cy="35" r="1.5" fill="#39414f"/>
<path d="M106 191h28" stroke="#fff" stroke-width="2.5" stroke-linecap="round" opacity=".85"/>
<path d="M150 27.5h20" stroke="${dark}" stroke-width="2"/>`;
}

/** A tablet with a pen at its side. */
export function tabletWithPen(shades: Shades): string {
  return `<g transform="translate(-12)">${tablet(shades)}</g>
<rect x="184" y="44" width="9" height="132" rx="4.5" fill="#f4f5f7" stroke="#c3c8d0"/>
<path d="M184.4 174h8.2l-3 15q-1.1 3-2.2 0z" fill="#dfe3e8" stroke="#c3c8d0"/>
<path d="M184.5 150h8" stroke="#d4d8de" stroke-width="1.5"/>`;
}
