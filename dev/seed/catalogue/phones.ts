/** The shelf of phones. */
import type { Item } from './item.ts';

/** Newest first. */
export const PHONES: readonly Item[] = [
  {
    id: 'iphone-17-pro-max-1tb',
    name: 'iPhone 17 Pro Max 1 TB',
    description:
      'The largest screen and the longest battery of the range, with room for a year of video. Three rear cameras reach from wide to an eightfold close-up.',
    price: 159_900,
    stock: 12,
    shape: 'phone-pro',
    colour: 'silver',
    attributes: { storage: '1 TB', screen: '6.9 in', chip: 'A19 Pro' },
  },
  {
    id: 'iphone-17-pro-max-256',
    name: 'iPhone 17 Pro Max 256 GB',
    description:
      'A big, bright screen for reading, maps and film, in a body milled from one piece of aluminium. Lasts well into a second day.',
    price: 119_900,
    stock: 34,
    shape: 'phone-pro',
    colour: 'orange',
    attributes: { storage: '256 GB', screen: '6.9 in', chip: 'A19 Pro' },
  },
  {
    id: 'iphone-17-pro-512',
    name: 'iPhone 17 Pro 512 GB',
    description:
      'The professional camera set in a size that still fits one hand, with space for raw photographs and long takes.',
    price: 129_900,
    stock: 28,
    shape: 'phone-pro',
    colour: 'deep-blue',
    attributes: { storage: '512 GB', screen: '6.3 in', chip: 'A19 Pro' },
  },
  {
    id: 'iphone-17-pro-256',
    name: 'iPhone 17 Pro 256 GB',
    description:
      'Three 48 megapixel cameras, a display that stays smooth at any speed, and cooling that keeps games at full pace.',
    price: 109_900,
    stock: 45,
    shape: 'phone-pro',
    colour: 'orange',
    attributes: { storage: '256 GB', screen: '6.3 in', chip: 'A19 Pro' },
  },
  {
    id: 'iphone-air-512',
    name: 'iPhone Air 512 GB',
    description:
      'Thinner than a pencil and still a full phone. The titanium frame keeps it stiff; half a terabyte keeps it useful.',
    price: 119_900,
    stock: 16,
    shape: 'phone-air',
    colour: 'gold',
    attributes: { storage: '512 GB', screen: '6.5 in', chip: 'A19 Pro' },
  },
  {
    id: 'iphone-air-256',
    name: 'iPhone Air 256 GB',
    description:
      'Five and a half millimetres of phone. One very good camera, a large screen, and hardly any weight.',
    price: 99_900,
    stock: 30,
    shape: 'phone-air',
    colour: 'sky',
    attributes: { storage: '256 GB', screen: '6.5 in', chip: 'A19 Pro' },
  },
  {
    id: 'iphone-17-512',
    name: 'iPhone 17 512 GB',
    description:
      'The everyday phone with twice the room. The screen now moves at 120 frames a second and stays on when you look away.',
    price: 99_900,
    stock: 40,
    shape: 'phone',
    colour: 'lavender',
    attributes: { storage: '512 GB', screen: '6.3 in', chip: 'A19' },
  },
  {
    id: 'iphone-17-256',
    name: 'iPhone 17 256 GB',
    description:
      'The one to buy when you do not want to think about it: quick, sturdy, with two cameras that do well in any light.',
    price: 79_900,
    stock: 80,
    shape: 'phone',
    colour: 'black',
    attributes: { storage: '256 GB', screen: '6.3 in', chip: 'A19' },
  },
  {
    id: 'iphone-16-plus-128',
    name: 'iPhone 16 Plus 128 GB',
    description:
      'Last year’s big screen at this year’s small price. Two cameras, a long battery, and plenty of life ahead.',
    price: 79_900,
    stock: 22,
    shape: 'phone',
    colour: 'teal',
    attributes: { storage: '128 GB', screen: '6.7 in', chip: 'A18' },
  },
  {
    id: 'iphone-16-128',
    name: 'iPhone 16 128 GB',
    description: 'A bright screen, a dedicated camera button, and a chip that will not feel slow for years.',
    price: 69_900,
    stock: 60,
    shape: 'phone',
    colour: 'ultramarine',
    attributes: { storage: '128 GB', screen: '6.1 in', chip: 'A18' },
  },
  {
    id: 'iphone-16e-128',
    name: 'iPhone 16e 128 GB',
    description:
      'The essentials, done properly: one sharp camera, a current chip, and a battery that outlasts its owner.',
    price: 59_900,
    stock: 75,
    shape: 'phone-air',
    colour: 'white',
    attributes: { storage: '128 GB', screen: '6.1 in', chip: 'A18' },
  },
  {
    id: 'iphone-15-128-renewed',
    name: 'iPhone 15 128 GB, renewed',
    description:
      'Checked, cleaned and fitted with a new battery in our workshop. A year of warranty, like a new one.',
    price: 49_900,
    stock: 9,
    shape: 'phone',
    colour: 'pink',
    attributes: { storage: '128 GB', screen: '6.1 in', chip: 'A16', condition: 'renewed' },
  },
];
