/** The shelf of watches. */
import type { Item } from './item.ts';

/** Most rugged first. */
export const WATCHES: readonly Item[] = [
  {
    id: 'watch-ultra-3-mesh',
    name: 'Watch Ultra 3, steel mesh',
    description:
      'Forty-nine millimetres of titanium on a woven steel band that is as happy in salt water as at dinner.',
    price: 89_900,
    stock: 8,
    shape: 'watch-ultra',
    colour: 'space-black',
    attributes: { size: '49 mm', band: 'steel mesh', network: 'cellular and satellite' },
  },
  {
    id: 'watch-ultra-3',
    name: 'Watch Ultra 3',
    description:
      'For ridges, reefs and very long runs: two days of battery, a siren, and messages by satellite.',
    price: 79_900,
    stock: 17,
    shape: 'watch-ultra',
    colour: 'titanium',
    attributes: { size: '49 mm', band: 'trail loop', network: 'cellular and satellite' },
  },
  {
    id: 'watch-series-11-46-titanium',
    name: 'Watch Series 11 46 mm, titanium',
    description:
      'Polished titanium that warms to the wrist. Tells your pulse, your sleep and, when asked, the time.',
    price: 74_900,
    stock: 11,
    shape: 'watch',
    colour: 'gold',
    attributes: { size: '46 mm', band: 'link', network: 'cellular' },
  },
  {
    id: 'watch-series-11-46-cellular',
    name: 'Watch Series 11 46 mm, cellular',
    description:
      'Leave the phone at home and stay reachable. A wide screen, read at a glance even from the side.',
    price: 52_900,
    stock: 19,
    shape: 'watch',
    colour: 'space-grey',
    attributes: { size: '46 mm', band: 'sport', network: 'cellular' },
  },
  {
    id: 'watch-series-11-46',
    name: 'Watch Series 11 46 mm',
    description:
      'A full day and a night on one charge, and eight hours more after fifteen minutes at the socket.',
    price: 42_900,
    stock: 36,
    shape: 'watch',
    colour: 'black',
    attributes: { size: '46 mm', band: 'sport', network: 'Wi-Fi' },
  },
  {
    id: 'watch-series-11-42',
    name: 'Watch Series 11 42 mm',
    description: 'The same watch for a slimmer wrist, in aluminium the colour of a rose.',
    price: 39_900,
    stock: 41,
    shape: 'watch',
    colour: 'rose',
    attributes: { size: '42 mm', band: 'sport', network: 'Wi-Fi' },
  },
  {
    id: 'watch-se-3-44',
    name: 'Watch SE 3 44 mm',
    description:
      'Counts steps, lengths and breaths, calls for help after a fall, and costs little more than a dinner.',
    price: 27_900,
    stock: 52,
    shape: 'watch',
    colour: 'midnight',
    attributes: { size: '44 mm', band: 'sport', network: 'Wi-Fi' },
  },
  {
    id: 'watch-se-3-40',
    name: 'Watch SE 3 40 mm',
    description:
      'A first watch for children and a last one for gadget sceptics: small, light and plain to use.',
    price: 24_900,
    stock: 58,
    shape: 'watch',
    colour: 'starlight',
    attributes: { size: '40 mm', band: 'sport', network: 'Wi-Fi' },
  },
];
