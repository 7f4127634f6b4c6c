/** Asks a process over HTTP whether it is ready. */
import { get } from 'node:http';

/** How long one answer may take, in ms. */
const TIMEOUT = 1_000;

/** Whether a URL answers 200 within 1 s; never rejects. */
export function isHealthy(url: string, signal?: AbortSignal): Promise<boolean> {
  const limits = AbortSignal.timeout(TIMEOUT);
  return new Promise((resolve) => {
    const request = get(
      url,
      { agent: false, signal: signal === undefined ? limits : AbortSignal.any([signal, limits]) },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('error', () => resolve(false));
  });
}

/** Where a process of this machine answers whether it is ready. */
export function readinessUrl(ports: Readonly<Record<string, number>>): string {
  return `http://127.0.0.1:${ports['http']}/readyz`;
}
