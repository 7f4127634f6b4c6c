/** One line of the catalogue, as its shelf lists it. */
import type { Colour } from '../pictures/colours.ts';
import type { Shape } from '../pictures/shape.ts';

/** Something that is sold; its category is the shelf it is listed on. */
export type Item = {
  /** Product id, and name of its picture. */
  id: string;
  name: string;
  description: string;
  /** US dollars in minor units. */
  price: number;
  stock: number;
  /** How it is drawn. */
  shape: Shape;
  colour: Colour;
  /** Shown to customers, besides its colour. */
  attributes: Readonly<Record<string, string>>;
};
