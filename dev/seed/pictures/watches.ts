/** Draws watches and their bands. */
import type { Shades } from './colours.ts';

/** A rounded watch with rings of activity on its face. */
export function watch(shades: Shades): string {
  return `${strap(shades.dark, shades.edge)}
<rect x="72" y="72" width="96" height="106" rx="30" fill="url(#m)" stroke="${shades.edge}" stroke-width="2"/>
${face(78, 78)}
<rect x="167" y="100" width="8" height="22" rx="4" fill="${shades.body}" stroke="${shades.edge}"/>
<rect x="167.5" y="134" width="4" height="26" rx="2" fill="${shades.edge}"/>`;
}

/** A bigger, flatter one with a guarded crown and a button. */
export function watchUltra(shades: Shades): string {
  return `${strap('#39424f', '#222831')}
<rect x="66" y="66" width="108" height="118" rx="32" fill="url(#m)" stroke="${shades.edge}" stroke-width="2"/>
<rect x="60" y="104" width="7" height="36" rx="3" fill="#e2702f"/>
<path d="M173 92h5q5 0 5 6v54q0 6-5 6h-5z" fill="${shades.body}" stroke="${shades.edge}"/>
<rect x="179" y="98" width="9" height="24" rx="3" fill="${shades.light}" stroke="#e2702f" stroke-width="1.5"/>
${face(78, 78)}`;
}

/** A band without its watch. */
export function band({ dark, edge, light }: Shades): string {
  const holes = [120, 138, 156, 174].map(
    (y) => `<ellipse cx="92" cy="${y}" rx="4" ry="5.5" fill="${edge}"/>`,
  );
  return `<path d="M70 48h44v128q0 26-22 26t-22-26z" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<path d="M66 36h52v12H66z" fill="${dark}" stroke="${edge}"/>
${holes.join('')}
<path d="M132 68h44v118h-44z" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<path d="M128 186h52v12h-52z" fill="${dark}" stroke="${edge}"/>
<rect x="136" y="60" width="36" height="14" rx="7" fill="${light}" stroke="${edge}"/>
<circle cx="154" cy="90" r="5" fill="#d7dbe1" stroke="${edge}"/>`;
}

function strap(fill: string, edge: string): string {
  return `<path d="M88 24h64q4 30 10 58H78q6-28 10-58z" fill="${fill}" stroke="${edge}"/>
<path d="M78 168h84q-6 24-10 46H88q-4-22-10-46z" fill="${fill}" stroke="${edge}"/>`;
}

function face(x: number, y: number): string {
  const rings = [
    [30, '#f2385a', 150],
    [22, '#9be22d', 110],
    [14, '#2cd3e1', 60],
  ] as const;
  const arcs = rings.map(
    ([radius, colour, length]) =>
      `<circle r="${radius}" fill="none" stroke="${colour}" stroke-width="6.5" stroke-linecap="round" stroke-dasharray="${length} 400" transform="rotate(-90)"/><circle r="${radius}" fill="none" stroke="${colour}" stroke-width="6.5" opacity=".22"/>`,
  );
  return `<rect x="${x}" y="${y}" width="84" height="94" rx="25" fill="#07080b"/><g transform="translate(120 125)">${arcs.join('')}</g>`;
}
