/** Reads the acquirer's ledger over HTTP, and checks its shape: it is a third party that speaks. */
import { performance } from 'node:perf_hooks';
import { CommandError } from '../command-error.ts';
import { httpJson } from '../http-json.ts';
import type { AcquirerEntry } from './books.ts';

/** In ms; the ledger comes whole. */
const TIMEOUT = 30_000;

/** All entries, oldest first, with ages by the acquirer's clock at the moment of asking. */
export async function readAcquirerBook(url: string): Promise<AcquirerEntry[]> {
  const asked = performance.now();
  const { status, headers, body } = await httpJson(new URL('/ledger', url).href, { timeout: TIMEOUT });
  const took = performance.now() - asked;
  if (status !== 200) throw new CommandError(`the acquirer does not show its ledger (HTTP ${status})`);
  // RFC 9110, 6.6.1: an origin server with a clock sends Date.
  const answered = Date.parse(headers.date ?? '');
  if (Number.isNaN(answered) || !isLedger(body)) throw unreadable();
  return body.entries.map((entry) => toEntry(entry, answered - took));
}

function toEntry(entry: unknown, now: number): AcquirerEntry {
  if (!isObject(entry)) throw unreadable();
  const { kind, amount, currency, orderId, time } = entry;
  const age = typeof time === 'string' ? now - Date.parse(time) : Number.NaN;
  const known = kind === 'capture' || kind === 'refund' || kind === 'void';
  if (!known || typeof orderId !== 'string' || typeof currency !== 'string') throw unreadable();
  if (typeof amount !== 'string' || !/^\d{1,18}$/u.test(amount) || Number.isNaN(age)) throw unreadable();
  return { kind, orderId, amount: { currencyCode: currency, minorUnits: BigInt(amount) }, age };
}

function isLedger(body: unknown): body is { entries: unknown[] } {
  return isObject(body) && Array.isArray(body['entries']);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function unreadable(): CommandError {
  return new CommandError("the acquirer's ledger has a shape that is not known");
}
