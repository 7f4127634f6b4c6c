/** What a product looks like, whatever its colour. */
import { cable, adapter, puck } from './chargers.ts';
import { earbuds, earphones, headphones, speaker } from './sound.ts';
import { hub, keyboard, mouse, pencil, stand, trackpad } from './desk.ts';
import { laptop, tablet, tabletWithPen } from './screens.ts';
import { phone, phoneAir, phoneCase, phonePro } from './phones.ts';
import type { Shades } from './colours.ts';
import { band, watch, watchUltra } from './watches.ts';
import { sleeve, tag } from './bags.ts';

/** Draws on a square of 240 units. Paints `url(#m)`, the body's gradient, and `url(#s)`, that of a screen, are there. */
export type Drawing = (shades: Shades) => string;

/** Every shape and how it is drawn. */
export const SHAPES = {
  adapter,
  band,
  cable,
  case: phoneCase,
  earbuds,
  earphones,
  headphones,
  hub,
  keyboard,
  laptop,
  mouse,
  pencil,
  phone,
  'phone-air': phoneAir,
  'phone-pro': phonePro,
  puck,
  sleeve,
  speaker,
  stand,
  tablet,
  'tablet-pen': tabletWithPen,
  tag,
  trackpad,
  watch,
  'watch-ultra': watchUltra,
} as const satisfies Record<string, Drawing>;

/** The name of a shape. */
export type Shape = keyof typeof SHAPES;
