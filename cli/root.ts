/** The folder of package.json, below which all programs of Mercer lie. */
import { dirname } from 'node:path';

export const ROOT = dirname(import.meta.dirname);
