/** The colours that products come in, and shades of them. */

const COLOURS = {
  black: '#2b2d31',
  'deep-blue': '#2f4366',
  gold: '#d9bd8b',
  lavender: '#b9acd6',
  midnight: '#2a3342',
  orange: '#e2702f',
  pink: '#eab3bd',
  rose: '#d9a08f',
  silver: '#c9cdd3',
  sky: '#a9c8e4',
  'space-black': '#3a3b40',
  'space-grey': '#74787f',
  starlight: '#e6dcc8',
  teal: '#5fa29c',
  titanium: '#b3aa9c',
  ultramarine: '#4a66c9',
  white: '#eceef1',
  yellow: '#ecc958',
} as const;

/** The name of a colour. */
export type Colour = keyof typeof COLOURS;

/** A colour in the light: `#rrggbb` texts from bright to dark. */
export type Shades = { glow: string; light: string; body: string; dark: string; edge: string };

/** The shades of a colour. */
export function shadesOf(colour: Colour): Shades {
  const body = COLOURS[colour];
  return {
    glow: mix(body, '#ffffff', 0.78),
    light: mix(body, '#ffffff', 0.35),
    body,
    dark: mix(body, '#10131a', 0.25),
    edge: mix(body, '#10131a', 0.45),
  };
}

/** A share of another colour mixed in, 0 to 1. */
function mix(base: string, other: string, share: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [from, to] = [base, other].map((text) => Number.parseInt(text.slice(at, at + 2), 16));
    return Math.round((from ?? 0) * (1 - share) + (to ?? 0) * share);
  });
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
