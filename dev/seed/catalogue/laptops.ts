/** The shelf of laptops. */
import type { Item } from './item.ts';

/** Largest first. */
export const LAPTOPS: readonly Item[] = [
  {
    id: 'macbook-pro-16-m4-max',
    name: 'MacBook Pro 16-inch, M4 Max',
    description:
      'For work that used to need a desk: film, large models, whole orchestras of samples. Forty graphics cores and a day of battery.',
    price: 349_900,
    stock: 6,
    shape: 'laptop',
    colour: 'space-black',
    attributes: { chip: 'M4 Max', memory: '36 GB', storage: '1 TB', screen: '16.2 in' },
  },
  {
    id: 'macbook-pro-16-m4-pro',
    name: 'MacBook Pro 16-inch, M4 Pro',
    description:
      'The big screen with the sensible chip: fourteen cores, three fast ports, and a keyboard to write books on.',
    price: 249_900,
    stock: 14,
    shape: 'laptop',
    colour: 'silver',
    attributes: { chip: 'M4 Pro', memory: '24 GB', storage: '512 GB', screen: '16.2 in' },
  },
  {
    id: 'macbook-pro-14-m4-max',
    name: 'MacBook Pro 14-inch, M4 Max',
    description:
      'As much machine as fits into a rucksack. Compiles, renders and trains while the fans stay polite.',
    price: 319_900,
    stock: 8,
    shape: 'laptop',
    colour: 'space-black',
    attributes: { chip: 'M4 Max', memory: '36 GB', storage: '1 TB', screen: '14.2 in' },
  },
  {
    id: 'macbook-pro-14-m4-pro',
    name: 'MacBook Pro 14-inch, M4 Pro',
    description:
      'The developer’s favourite: twelve cores, a screen that shows every shade, and ports for everything.',
    price: 199_900,
    stock: 25,
    shape: 'laptop',
    colour: 'space-black',
    attributes: { chip: 'M4 Pro', memory: '24 GB', storage: '512 GB', screen: '14.2 in' },
  },
  {
    id: 'macbook-pro-14-m5-1tb',
    name: 'MacBook Pro 14-inch, M5, 1 TB',
    description: 'The newest chip with a terabyte beside it. Opens anything at once and keeps it close.',
    price: 179_900,
    stock: 20,
    shape: 'laptop',
    colour: 'silver',
    attributes: { chip: 'M5', memory: '16 GB', storage: '1 TB', screen: '14.2 in' },
  },
  {
    id: 'macbook-pro-14-m5-512',
    name: 'MacBook Pro 14-inch, M5',
    description: 'A professional screen and a battery for a whole day of meetings, at the price of entry.',
    price: 159_900,
    stock: 32,
    shape: 'laptop',
    colour: 'space-black',
    attributes: { chip: 'M5', memory: '16 GB', storage: '512 GB', screen: '14.2 in' },
  },
  {
    id: 'macbook-air-15-m4-512',
    name: 'MacBook Air 15-inch, M4, 512 GB',
    description:
      'The large Air with room to spare: two windows side by side, no fan, and under a kilogram and a half.',
    price: 139_900,
    stock: 26,
    shape: 'laptop',
    colour: 'starlight',
    attributes: { chip: 'M4', memory: '16 GB', storage: '512 GB', screen: '15.3 in' },
  },
  {
    id: 'macbook-air-15-m4-256',
    name: 'MacBook Air 15-inch, M4',
    description:
      'A big, quiet screen for spreadsheets by day and films by night. Charges from any USB-C plug.',
    price: 119_900,
    stock: 38,
    shape: 'laptop',
    colour: 'sky',
    attributes: { chip: 'M4', memory: '16 GB', storage: '256 GB', screen: '15.3 in' },
  },
  {
    id: 'macbook-air-13-m4-512',
    name: 'MacBook Air 13-inch, M4, 512 GB',
    description: 'The laptop most people should buy, with the storage most people end up wanting.',
    price: 119_900,
    stock: 50,
    shape: 'laptop',
    colour: 'midnight',
    attributes: { chip: 'M4', memory: '16 GB', storage: '512 GB', screen: '13.6 in' },
  },
  {
    id: 'macbook-air-13-m4-256',
    name: 'MacBook Air 13-inch, M4',
    description:
      'Light enough to forget, quick enough not to notice. Silent, because there is no fan to hear.',
    price: 99_900,
    stock: 70,
    shape: 'laptop',
    colour: 'silver',
    attributes: { chip: 'M4', memory: '16 GB', storage: '256 GB', screen: '13.6 in' },
  },
  {
    id: 'macbook-air-13-m3-renewed',
    name: 'MacBook Air 13-inch, M3, renewed',
    description:
      'Last generation’s Air with a new battery and a new keyboard, checked by hand. A year of warranty.',
    price: 74_900,
    stock: 5,
    shape: 'laptop',
    colour: 'midnight',
    attributes: { chip: 'M3', memory: '16 GB', storage: '256 GB', screen: '13.6 in', condition: 'renewed' },
  },
];
