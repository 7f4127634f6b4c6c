/** The kinds of values that settings have, each read from text. */
import { formatDuration, parseDuration } from './duration.ts';

/** How the text of a setting is read. */
export type SettingKind<T> = {
  /** What may be written, fit for a sentence: "a duration from 2s to 5m". */
  allowed: string;
  /** Unit of the value, for the documentation; empty when it has none. */
  unit: string;
  /** The value, undefined when the text is not allowed. */
  parse: (text: string) => T | undefined;
};

/** A number of requests per stretch of time, written `100/s`. */
export type Rate = {
  count: number;
  /** Milliseconds. */
  per: number;
};

/** A named line of the code, and what happens there. */
export type Failpoint = {
  /** Such as `order.after_charge`. */
  name: string;
  /** The process ends, the line is never left, or it throws. */
  act: 'exit' | 'hang' | 'throw';
  /** The only passage that it happens at, from 1; every one when undefined. */
  pass: number | undefined;
};

/** A text of a pattern. */
export function text({ allowed, pattern }: { allowed: string; pattern: RegExp }): SettingKind<string> {
  return { allowed, unit: '', parse: (value) => (pattern.test(value) ? value : undefined) };
}

/** One of the given words. */
export function oneOf<const W extends string>(...words: W[]): SettingKind<W> {
  return {
    allowed: `one of ${words.join(', ')}`,
    unit: '',
    parse: (value) => words.find((word) => word === value),
  };
}

/** `true` or `false`. */
export function flag(): SettingKind<boolean> {
  const values = new Map([
    ['true', true],
    ['false', false],
  ]);
  return { allowed: 'true or false', unit: '', parse: (value) => values.get(value) };
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): SettingKind<number> {
  const parse = (value: string): number | undefined =>
    /^\d{1,15}$/.test(value) ? within(Number(value), min, max) : undefined;
  return { allowed: `a whole number from ${min} to ${max}`, unit: '', parse };
}

/** A TCP port; 0 lets the system choose a free one. */
export function port(): SettingKind<number> {
  return { ...integer(0, 65_535), allowed: 'a port from 0 to 65535' };
}

/** A share from 0 to 1. */
export function ratio(): SettingKind<number> {
  const parse = (value: string): number | undefined =>
    /^\d(\.\d{1,9})?$/.test(value) ? within(Number(value), 0, 1) : undefined;
  return { allowed: 'a number from 0 to 1', unit: '', parse };
}

/** A duration within bounds in milliseconds, both included. */
export function duration(min: number, max: number): SettingKind<number> {
  const parse = (value: string): number | undefined => {
    const milliseconds = parseDuration(value);
    return milliseconds === undefined ? undefined : within(milliseconds, min, max);
  };
  return {
    allowed: `a duration from ${formatDuration(min)} to ${formatDuration(max)}`,
    unit: 'duration',
    parse,
  };
}

/** A rate, written `100/s`, `600/m` or `5000/h`. */
export function rate(): SettingKind<Rate> {
  const parse = (value: string): Rate | undefined => {
    const [, count, unit] = /^([1-9]\d{0,8})\/([smh])$/.exec(value) ?? [];
    const per = parseDuration(`1${unit}`);
    return count === undefined || per === undefined ? undefined : { count: Number(count), per };
  };
  return { allowed: 'a rate such as 100/s, 600/m or 5000/h', unit: 'requests', parse };
}

/** A host and a port, such as `127.0.0.1:50050` or `[::1]:50050`. */
export function address(options: { optional?: boolean } = {}): SettingKind<string> {
  const pattern = /^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):\d{1,5}$/;
  const parse = (value: string): string | undefined =>
    pattern.test(value) || (value === '' && options.optional === true) ? value : undefined;
  const allowed = 'an address such as 127.0.0.1:50050';
  return { allowed: options.optional === true ? `${allowed}, or empty` : allowed, unit: '', parse };
}

/** A URL of one of the given schemes. */
export function url(options: { schemes: string[]; optional?: boolean }): SettingKind<string> {
  const parse = (value: string): string | undefined => {
    if (value === '') return options.optional === true ? value : undefined;
    const scheme = URL.parse(value)?.protocol.slice(0, -1);
    return scheme !== undefined && options.schemes.includes(scheme) ? value : undefined;
  };
  const allowed = `a URL that begins with ${options.schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return { allowed: options.optional === true ? `${allowed}, or empty` : allowed, unit: '', parse };
}

/** Texts with commas between; an array in YAML. Blanks around an entry and empty entries do not count. */
export function list(): SettingKind<readonly string[]> {
  const parse = (value: string): readonly string[] =>
    Object.freeze(
      value
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    );
  return { allowed: 'a list with commas between', unit: 'list', parse };
}

/** Failpoints, written `name:exit|hang|throw[:N]`, with commas between; empty is none. */
export function failpoints(): SettingKind<readonly Failpoint[]> {
  const parse = (value: string): readonly Failpoint[] | undefined => {
    const points = value === '' ? [] : value.split(',').map(failpointOf);
    return points.includes(undefined) ? undefined : points.filter((point) => point !== undefined);
  };
  const allowed = 'failpoints such as order.after_charge:exit or order.after_charge:hang:3';
  return { allowed: `${allowed} with commas between, or empty`, unit: '', parse };
}

function failpointOf(text: string): Failpoint | undefined {
  const [, name, word, pass] = /^([a-z]+\.[a-z_]+):([a-z]+)(?::([1-9]\d{0,5}))?$/.exec(text.trim()) ?? [];
  const act = (['exit', 'hang', 'throw'] as const).find((each) => each === word);
  if (name === undefined || act === undefined) return undefined;
  return { name, act, pass: pass === undefined ? undefined : Number(pass) };
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}
