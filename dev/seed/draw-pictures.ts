/** Writes the picture of every product into dev/seed/images; run it after the catalogue changed. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ITEMS } from './catalogue.ts';
import { picture } from './pictures/picture.ts';

const folder = join(import.meta.dirname, 'images');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const item of ITEMS) writeFileSync(join(folder, `${item.id}.svg`), picture(item));
console.log(`${ITEMS.length} pictures in ${folder}`);
