/** Draws phones: the back on the left, the screen before it. */
import type { Shades } from './colours.ts';

/** Two lenses in a pill. */
export function phone(shades: Shades): string {
  const pill = `<rect x="56" y="40" width="28" height="54" rx="14" fill="${shades.light}" stroke="${shades.dark}"/>`;
  return back(shades) + pill + lens(70, 54, 10) + lens(70, 80, 10) + flash(92, 46) + front(shades);
}

/** One lens in a bar. */
export function phoneAir(shades: Shades): string {
  const bar = `<rect x="54" y="40" width="72" height="28" rx="14" fill="${shades.light}" stroke="${shades.dark}"/>`;
  return back(shades) + bar + lens(69, 54, 10) + flash(90, 54) + front(shades);
}

/** Three lenses on a plateau. */
export function phonePro(shades: Shades): string {
  const plateau = `<rect x="54" y="40" width="74" height="52" rx="18" fill="${shades.light}" stroke="${shades.dark}"/>`;
  return back(shades) + plateau + lens(70, 54, 9.5) + lens(70, 78, 9.5) + lens(92, 66, 9.5) + front(shades);
}

/** The back of a phone in its case. */
export function phoneCase({ light, edge, body }: Shades): string {
  return `<rect x="76" y="28" width="88" height="176" rx="22" fill="url(#m)" stroke="${edge}" stroke-width="2"/>
<rect x="82" y="34" width="76" height="164" rx="17" fill="none" stroke="${light}" opacity=".6"/>
<rect x="86" y="40" width="32" height="58" rx="16" fill="#15181e" stroke="${edge}" stroke-width="2"/>
${lens(102, 55, 11)}${lens(102, 83, 11)}
<circle cx="120" cy="136" r="25" fill="none" stroke="${light}" stroke-width="3" opacity=".7"/>
<path d="M120 166v12" stroke="${light}" stroke-width="3" stroke-linecap="round" opacity=".7"/>
<path d="M75 84v18M75 108v18" stroke="${body}" stroke-width="4" stroke-linecap="round"/>`;
}

function back({ edge }: Shades): string {
  return `<rect x="48" y="34" width="84" height="168" rx="20" fill="url(#m)" stroke="${edge}" stroke-width="1.5"/>`;
}

function front({ dark, glow }: Shades): string {
  return `<rect x="108" y="38" width="84" height="168" rx="20" fill="#0d0f13" stroke="${dark}" stroke-width="2.5"/>
<rect x="113" y="43" width="74" height="158" rx="15.5" fill="url(#s)"/>
<path d="M113 150q34-44 74-12v47a15.5 15.5 0 0 1-15.5 15.5h-43A15.5 15.5 0 0 1 113 185z" fill="${glow}" opacity=".55"/>
<rect x="138" y="49" width="24" height="8" rx="4" fill="#05070a"/>
<path d="M137 195h26" stroke="#fff" stroke-width="2.5" stroke-linecap="round" opacity=".85"/>`;
}

function lens(x: number, y: number, radius: number): string {
  return `<circle cx="${x}" cy="${y}" r="${radius}" fill="#14171d" stroke="#3d434e"/><circle cx="${x}" cy="${y}" r="${radius * 0.5}" fill="#2a3550"/><circle cx="${x - 2.5}" cy="${y - 2.5}" r="1.6" fill="#9fb4dd"/>`;
}

function flash(x: number, y: number): string {
  return `<circle cx="${x}" cy="${y}" r="4" fill="#fff6df" stroke="#c9c2b0" stroke-width=".8"/>`;
}
