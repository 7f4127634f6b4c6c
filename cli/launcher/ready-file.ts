/** The file that tells scripts where everything is, once all is healthy. */
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Endpoints } from './endpoints.ts';
import { writeWholeJson } from './whole-file.ts';

/** Access tokens of the two roles. */
export type Tokens = { admin: string; customer: string };

/** Writes the file whole; without tokens when another issuer gives them. */
export function writeReadyFile(
  file: string,
  endpoints: Endpoints,
  tokens: Tokens | undefined,
): Promise<void> {
  return writeWholeJson(resolve(file), tokens === undefined ? endpoints : { ...endpoints, tokens });
}

/** Forgets an earlier fabric's file, or this one's; none is fine. */
export async function removeReadyFile(file: string | undefined): Promise<void> {
  if (file !== undefined) await rm(resolve(file), { force: true });
}
