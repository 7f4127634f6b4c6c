/** The shelf of things to listen with. */
import type { Item } from './item.ts';

/** Loudest last. */
export const AUDIO: readonly Item[] = [
  {
    id: 'airpods-pro-3',
    name: 'AirPods Pro 3',
    description:
      'Hushes a train, follows your pulse, and translates the person across the table while they speak.',
    price: 24_900,
    stock: 64,
    shape: 'earbuds',
    colour: 'white',
    attributes: { fit: 'in-ear', noise: 'active cancellation', battery: '8 h' },
  },
  {
    id: 'airpods-4-quiet',
    name: 'AirPods 4 with noise cancellation',
    description:
      'Open ear, closed world: no silicone tips, and still much less of the neighbour’s lawnmower.',
    price: 17_900,
    stock: 47,
    shape: 'earbuds',
    colour: 'white',
    attributes: { fit: 'open', noise: 'active cancellation', battery: '4 h' },
  },
  {
    id: 'airpods-4',
    name: 'AirPods 4',
    description: 'Light in the ear and quick to pair, with a case so small that you will look for it twice.',
    price: 12_900,
    stock: 88,
    shape: 'earbuds',
    colour: 'white',
    attributes: { fit: 'open', noise: 'passive', battery: '5 h' },
  },
  {
    id: 'earpods-usb-c',
    name: 'EarPods with USB-C',
    description: 'A wire: never out of battery, never out of range, and rarely lost in a sofa.',
    price: 1_900,
    stock: 140,
    shape: 'earphones',
    colour: 'white',
    attributes: { fit: 'open', plug: 'USB-C' },
  },
  {
    id: 'airpods-max-midnight',
    name: 'AirPods Max, midnight',
    description:
      'A room of your own, worn over the ears. Knitted headband, cushions of memory foam, sound without edges.',
    price: 54_900,
    stock: 13,
    shape: 'headphones',
    colour: 'midnight',
    attributes: { fit: 'over-ear', noise: 'active cancellation', battery: '20 h' },
  },
  {
    id: 'airpods-max-orange',
    name: 'AirPods Max, orange',
    description: 'The same quiet in a louder colour. Turns your head and the orchestra stays where it sits.',
    price: 54_900,
    stock: 10,
    shape: 'headphones',
    colour: 'orange',
    attributes: { fit: 'over-ear', noise: 'active cancellation', battery: '20 h' },
  },
  {
    id: 'homepod-mini-blue',
    name: 'HomePod mini, blue',
    description:
      'The size of an orange and the voice of a cello. Fills a kitchen; two of them fill a living room.',
    price: 9_900,
    stock: 56,
    shape: 'speaker',
    colour: 'ultramarine',
    attributes: { power: '20 W', smart: 'yes' },
  },
  {
    id: 'homepod-mini-yellow',
    name: 'HomePod mini, yellow',
    description: 'Plays, answers, reminds and glows a little, for the corner of a shelf that needs some sun.',
    price: 9_900,
    stock: 44,
    shape: 'speaker',
    colour: 'yellow',
    attributes: { power: '20 W', smart: 'yes' },
  },
  {
    id: 'homepod-midnight',
    name: 'HomePod, midnight',
    description:
      'Listens to the room first and then fills it: deep bass, five tweeters, and a hush when you speak.',
    price: 29_900,
    stock: 21,
    shape: 'speaker',
    colour: 'midnight',
    attributes: { power: 'mains', smart: 'yes' },
  },
];
