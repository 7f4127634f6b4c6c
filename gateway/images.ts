/** Serves the pictures of products from a folder: /images/NAME.svg. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { emptyAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import { routeNotFound } from './refusals.ts';
import type { Route } from './router.ts';
import { parseTemplate } from './template.ts';

type Picture = { bytes: Uint8Array; etag: string };

/** One plain name: no separators, no dots that lead elsewhere. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}\.svg$/u;
const MOST_PICTURES = 500;
/** A picture is read again after this, in ms. */
const AGE = 60_000;
/** An SVG can hold scripts; opened by itself it may run none of them. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/** The route of the pictures in a folder. */
export function imageRoute(folder: string): Route<Endpoint> {
  const pictures = new LRUCache<string, Picture>({ max: MOST_PICTURES, ttl: AGE });
  const template = parseTemplate('/images/*');
  const serve: Endpoint['serve'] = async ({ request, segments }) => {
    const name = segments[1] ?? '';
    const picture = pictures.get(name) ?? (await read(folder, name));
    pictures.set(name, picture);
    return answer(picture, request.headers['if-none-match']);
  };
  return { method: 'GET', template, name: 'images', target: { route: template.text, serve } };
}

async function read(folder: string, name: string): Promise<Picture> {
  if (!NAME.test(name)) throw routeNotFound();
  try {
    const bytes = await readFile(join(folder, name));
    return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
  } catch {
    throw routeNotFound();
  }
}

function answer({ bytes, etag }: Picture, ifNoneMatch: string | undefined): Answer {
  const headers = {
    etag,
    'cache-control': 'public, max-age=3600',
    'content-security-policy': POLICY,
    'cross-origin-resource-policy': 'cross-origin',
  };
  if (ifNoneMatch?.split(',').some((each) => each.trim().replace(/^W\//u, '') === etag) === true)
    return emptyAnswer(304, headers);
  return { status: 200, headers: { ...headers, 'content-type': 'image/svg+xml' }, body: bytes };
}
