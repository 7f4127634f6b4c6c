/** A span as Zipkin's v2 API writes it (zipkin2-api.yaml), read from what clients post. */
import { HttpError } from '../stand-in/http-error.ts';

/** One side of a call. */
export type Endpoint = { serviceName?: string; ipv4?: string; ipv6?: string; port?: number };

/** Ids are lower-case hexadecimal: 32 digits for a trace, 16 for a span. Times are microseconds since the epoch. */
export type Span = {
  traceId: string;
  id: string;
  parentId?: string;
  kind?: 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';
  name?: string;
  timestamp?: number;
  /** Microseconds. */
  duration?: number;
  localEndpoint?: Endpoint;
  remoteEndpoint?: Endpoint;
  annotations?: { timestamp: number; value: string }[];
  tags?: Record<string, string>;
  debug?: boolean;
  /** Whether the caller reports a span with the same id. */
  shared?: boolean;
};

const KINDS: ReadonlySet<unknown> = new Set(['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER']);
const HEX = /^[0-9a-f]+$/u;
const NO_PARENT = /^0+$/u;

/** Reads a list of spans; throws 400 when one of them is none. Unknown members are dropped. */
export function readSpans(text: string): Span[] {
  const list = parse(text);
  if (!Array.isArray(list)) throw malformed('the body must be a list of spans');
  return list.map(readSpan);
}

/** A trace id in its comparable form: 64-bit ids are padded; throws 400 for what is none. */
export function readTraceId(value: unknown): string {
  return readId(value, { name: 'traceId', digits: 32 });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('the body is not JSON');
  }
}

function readSpan(value: unknown): Span {
  if (!isRecord(value)) throw malformed('a span must be an object');
  const { parentId, kind, name, timestamp, duration, annotations, tags, debug, shared } = value;
  return {
    traceId: readTraceId(value['traceId']),
    id: readId(value['id'], { name: 'id', digits: 16 }),
    ...(isRoot(parentId) ? {} : { parentId: readId(parentId, { name: 'parentId', digits: 16 }) }),
    ...(isKind(kind) ? { kind } : {}),
    ...(typeof name === 'string' ? { name } : {}),
    ...(isCount(timestamp) ? { timestamp } : {}),
    ...(isCount(duration) ? { duration } : {}),
    ...readEndpoints(value),
    ...(Array.isArray(annotations) ? { annotations: annotations.flatMap(readAnnotation) } : {}),
    ...(isRecord(tags) ? { tags: readTags(tags) } : {}),
    ...(debug === true ? { debug } : {}),
    ...(shared === true ? { shared } : {}),
  };
}

/** Some reporters write a parent of zeros for none. */
function isRoot(parentId: unknown): boolean {
  return (
    parentId === undefined || parentId === null || (typeof parentId === 'string' && NO_PARENT.test(parentId))
  );
}

function readId(value: unknown, { name, digits }: { name: string; digits: number }): string {
  const id = typeof value === 'string' ? value.toLowerCase() : '';
  if (HEX.test(id) && id.length <= digits && !NO_PARENT.test(id)) return id.padStart(digits, '0');
  throw malformed(`${name} must be 1 to ${digits} hexadecimal digits, not all zero`);
}

function readEndpoints(span: Record<string, unknown>): Pick<Span, 'localEndpoint' | 'remoteEndpoint'> {
  const { localEndpoint, remoteEndpoint } = span;
  return {
    ...(isRecord(localEndpoint) ? { localEndpoint: readEndpoint(localEndpoint) } : {}),
    ...(isRecord(remoteEndpoint) ? { remoteEndpoint: readEndpoint(remoteEndpoint) } : {}),
  };
}

function readEndpoint({ serviceName, ipv4, ipv6, port }: Record<string, unknown>): Endpoint {
  return {
    ...(typeof serviceName === 'string' ? { serviceName: serviceName.toLowerCase() } : {}),
    ...(typeof ipv4 === 'string' ? { ipv4 } : {}),
    ...(typeof ipv6 === 'string' ? { ipv6 } : {}),
    ...(isCount(port) ? { port } : {}),
  };
}

function readAnnotation(annotation: unknown): { timestamp: number; value: string }[] {
  if (!isRecord(annotation)) return [];
  const { timestamp, value } = annotation;
  return isCount(timestamp) && typeof value === 'string' ? [{ timestamp, value }] : [];
}

function readTags(tags: Record<string, unknown>): Record<string, string> {
  const texts = Object.entries(tags).filter((tag): tag is [string, string] => typeof tag[1] === 'string');
  return Object.fromEntries(texts);
}

function isKind(value: unknown): value is NonNullable<Span['kind']> {
  return KINDS.has(value);
}

/** Microseconds since the epoch stay below 2^53 until the year 2255. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string): HttpError {
  return new HttpError(400, 'span_malformed', { message });
}
