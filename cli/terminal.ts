/** Colours and columns for people; plain text when nobody watches. */
import { stripVTControlCharacters, styleText } from 'node:util';

/** The few looks that the command line uses. */
export type Look = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** Styles text for a stream: nothing is added when it is no terminal or NO_COLOR is set. */
export function paint(look: Look, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(look, text, { stream, validateStream: true });
}

/** Lines up rows in columns two spaces apart; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column]))));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** 0.4 ms, 350 ms, 1.2 s, 2.5 min. */
export function duration(milliseconds: number): string {
  if (milliseconds > 0 && milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${(milliseconds / 60_000).toFixed(1)} min`;
}

/** 1299.00 USD of 129900 minor units; all of the catalogue's currencies have two decimals. */
export function amount(money: { currencyCode: string; minorUnits: string }): string {
  const digits = money.minorUnits.padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)} ${money.currencyCode}`;
}

function width(cell: string | undefined): number {
  return stripVTControlCharacters(cell ?? '').length;
}
