/** Draws what one listens with. */
import type { Shades } from './colours.ts';

/** Two buds over their case. */
export function earbuds({ edge, light, dark }: Shades): string {
  const bud = `<ellipse cx="0" cy="0" rx="21" ry="19" fill="url(#m)" stroke="${edge}"/><path d="M-9 12q-2 30 0 48 1 7 8 7t7-7l3-46z" fill="url(#m)" stroke="${edge}"/><ellipse cx="12" cy="-3" rx="7" ry="10" fill="#3a3f48" transform="rotate(-20 12 -3)"/>`;
  return `<g transform="translate(84 52)">${bud}</g><g transform="matrix(-1 0 0 1 156 52)">${bud}</g>
<rect x="62" y="112" width="116" height="92" rx="36" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<path d="M62.5 146h115" stroke="${edge}" opacity=".6"/><path d="M63 148h114" stroke="${light}"/>
<circle cx="120" cy="164" r="3" fill="#5ecb71"/><path d="M108 146h24" stroke="${dark}" stroke-width="4" stroke-linecap="round"/>`;
}

/** Two buds on a wire. */
export function earphones({ edge, body }: Shades): string {
  const bud = `<ellipse rx="17" ry="15" fill="url(#m)" stroke="${edge}"/><path d="M-6 10v38q0 5 5 5t5-5V12z" fill="url(#m)" stroke="${edge}"/><ellipse cx="9" cy="-2" rx="5" ry="8" fill="#3a3f48"/>`;
  const wire = 'M79 98c0 40 41 28 41 62M161 98c0 40-41 28-41 62v18q0 16 18 14t34-12';
  return `<path d="${wire}" fill="none" stroke="${edge}" stroke-width="6.5" stroke-linecap="round"/>
<path d="${wire}" fill="none" stroke="${body}" stroke-width="4" stroke-linecap="round"/>
<g transform="translate(80 52)">${bud}</g><g transform="matrix(-1 0 0 1 160 52)">${bud}</g>
<rect x="115" y="150" width="10" height="18" rx="4" fill="url(#m)" stroke="${edge}"/>
<rect x="168" y="172" width="22" height="12" rx="3" fill="#d4d8de" stroke="#9aa1ab" transform="rotate(-20 179 178)"/>`;
}

/** Two cups on a bow. */
export function headphones({ edge, dark, body, light }: Shades): string {
  const cup = `<rect x="-24" y="-40" width="48" height="80" rx="23" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/><rect x="14" y="-34" width="18" height="68" rx="9" fill="${dark}" stroke="${edge}"/>`;
  return `<path d="M60 130V104a60 60 0 0 1 120 0v26" fill="none" stroke="#c7ccd3" stroke-width="6"/>
<path d="M68 74a56 56 0 0 1 104 0q-52-26-104 0z" fill="${body}" stroke="${edge}" opacity=".9"/>
<path d="M78 70q42-20 84 0" fill="none" stroke="${light}" stroke-width="2" stroke-dasharray="2 3"/>
<g transform="translate(60 156)">${cup}</g><g transform="matrix(-1 0 0 1 180 156)">${cup}</g>
<circle cx="188" cy="124" r="5" fill="#c7ccd3" stroke="${edge}"/>`;
}

/** A ball of mesh that glows on top. */
export function speaker({ edge, light, dark }: Shades): string {
  return `<defs><pattern id="k" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" fill="${dark}" opacity=".35"/><circle cx="4" cy="4" r="2.6" fill="${light}" opacity=".35"/></pattern><radialGradient id="g"><stop stop-color="#fff"/><stop offset=".45" stop-color="#8fd0ff"/><stop offset="1" stop-color="#b58bff"/></radialGradient></defs>
<path d="M64 92q6-40 56-40t56 40q16 42 0 78-10 34-56 34t-56-34q-16-36 0-78z" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<path d="M64 92q6-40 56-40t56 40q16 42 0 78-10 34-56 34t-56-34q-16-36 0-78z" fill="url(#k)"/>
<ellipse cx="120" cy="64" rx="40" ry="11" fill="#12151b"/><ellipse cx="120" cy="64" rx="24" ry="6" fill="url(#g)"/>`;
}
