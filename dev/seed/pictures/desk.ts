/** Draws what stands or lies on a desk. */
import type { Shades } from './colours.ts';

/** Keys in rows. */
export function keyboard({ edge, glow, dark, body }: Shades): string {
  const key = isDark(body) ? dark : glow;
  return `<defs><pattern id="k" x="34" y="92" width="14.3" height="14.5" patternUnits="userSpaceOnUse"><rect width="12" height="12" rx="2.5" fill="${key}" stroke="${edge}" stroke-width=".6"/></pattern></defs>
<g transform="skewX(-6) translate(17 24)"><rect x="24" y="82" width="194" height="92" rx="12" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<rect x="34" y="92" width="170" height="56.5" fill="url(#k)"/>
<rect x="34" y="150" width="40" height="13" rx="2.5" fill="${key}" stroke="${edge}" stroke-width=".6"/><rect x="77" y="150" width="84" height="13" rx="2.5" fill="${key}" stroke="${edge}" stroke-width=".6"/><rect x="164" y="150" width="40" height="13" rx="2.5" fill="${key}" stroke="${edge}" stroke-width=".6"/></g>`;
}

/** A seamless shell. */
export function mouse({ edge, light, dark }: Shades): string {
  return `<path d="M120 32q46 0 46 60v56q0 56-46 56t-46-56V92q0-60 46-60z" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<path d="M92 60q28-26 56 0" fill="none" stroke="#fff" stroke-width="6" stroke-linecap="round" opacity=".7"/>
<path d="M76 148q2 54 44 54t44-54" fill="none" stroke="${light}" stroke-width="2"/><circle cx="120" cy="176" r="4" fill="${dark}" opacity=".5"/>`;
}

/** A pane of glass. */
export function trackpad({ edge, light, dark }: Shades): string {
  return `<g transform="translate(0 18)"><rect x="38" y="58" width="164" height="124" rx="14" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<rect x="44" y="64" width="152" height="108" rx="9" fill="${light}" stroke="${dark}" opacity=".6"/>
<path d="M50 166L136 68h32L82 166z" fill="#fff" opacity=".45"/></g>`;
}

/** A pencil across the square. */
export function pencil({ edge, light, dark }: Shades): string {
  return `<g transform="rotate(40 120 120)"><rect x="110" y="14" width="20" height="160" rx="9" fill="url(#m)" stroke="${edge}"/>
<path d="M111 170h18l-6 34q-3 6-6 0z" fill="${light}" stroke="${edge}"/><path d="M117 198l3 10 3-10z" fill="${dark}"/>
<path d="M110 40h20M110 166h20" stroke="${edge}" opacity=".5"/><path d="M115 48v108" stroke="#fff" stroke-width="3" stroke-linecap="round" opacity=".6"/></g>`;
}

/** A bar of sockets with a short lead. */
export function hub({ edge, light, dark }: Shades): string {
  const ports = [58, 92, 126].map(
    (x) => `<rect x="${x}" y="140" width="24" height="12" rx="2.5" fill="#12151a" stroke="${dark}"/>`,
  );
  return `<g transform="translate(0 28)"><path d="M186 122c40-10 24-70-22-70" fill="none" stroke="#2a2e35" stroke-width="9"/><rect x="120" y="42" width="30" height="20" rx="5" fill="url(#m)" stroke="${edge}"/><rect x="106" y="46" width="15" height="12" rx="2" fill="#cfd4da" stroke="#979ea8"/>
<path d="M44 112h140l14 16v34q0 8-8 8H46q-8 0-8-8v-38z" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/><path d="M38 126h160" stroke="${light}"/>
${ports.join('')}<rect x="160" y="142" width="20" height="8" rx="4" fill="#12151a" stroke="${dark}"/><circle cx="189" cy="146" r="2.5" fill="#6fe08a"/></g>`;
}

/** A bent sheet that carries a laptop. */
export function stand({ edge, light, dark }: Shades): string {
  return `<path d="M54 198h132q8 0 8-7t-8-7h-60L92 96 76 84l34 100H54q-8 0-8 7t8 7z" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>
<path d="M44 96L190 58q7-2 9 5t-5 9L56 108q-10 2-14-4t2-8z" fill="${light}" stroke="${edge}" stroke-width="1.5"/>
<path d="M188 60l6-16q8-2 10 5l-4 14" fill="${dark}" stroke="${edge}"/>`;
}

function isDark(colour: string): boolean {
  return Number.parseInt(colour.slice(1, 3), 16) < 0x60;
}
