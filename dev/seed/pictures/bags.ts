/** Draws what goes into a bag, or is one. */
import type { Shades } from './colours.ts';

/** A sleeve with its flap and stitches. */
export function sleeve({ edge, light, dark }: Shades): string {
  return `<g transform="translate(0 14)"><rect x="38" y="66" width="164" height="122" rx="10" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<path d="M38 78q0-12 12-12h140q12 0 12 12v16q-82 58-164 0z" fill="${dark}" stroke="${edge}"/>
<path d="M44 94q76 48 152 0" fill="none" stroke="${light}" stroke-width="1.5" stroke-dasharray="4 4"/>
<path d="M46 180h148" stroke="${light}" stroke-width="1.5" stroke-dasharray="4 4"/>
<circle cx="120" cy="120" r="7" fill="#c89b66" stroke="#8a6335"/><rect x="176" y="158" width="18" height="10" rx="2" fill="#c89b66"/></g>`;
}

/** A coin that answers when called, on its ring. */
export function tag({ edge, light, body, dark }: Shades): string {
  return `<circle cx="120" cy="46" r="18" fill="none" stroke="#aab0b9" stroke-width="6"/><path d="M110 58h20l6 34h-32z" fill="#b98a56" stroke="#8a6335"/>
<circle cx="120" cy="138" r="66" fill="#b98a56" stroke="#8a6335" stroke-width="1.5"/>
<circle cx="120" cy="138" r="55" fill="url(#m)" stroke="${edge}"/><circle cx="120" cy="138" r="46" fill="${light}" stroke="${body}"/>
<path d="M92 118a34 34 0 0 1 56 0" fill="none" stroke="#fff" stroke-width="5" stroke-linecap="round" opacity=".7"/>
<circle cx="120" cy="138" r="5" fill="${dark}" opacity=".6"/><path d="M106 138a14 14 0 0 1 28 0M98 138a22 22 0 0 1 44 0" fill="none" stroke="${dark}" stroke-width="2.5" opacity=".45"/>`;
}
