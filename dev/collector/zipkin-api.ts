/** Zipkin's HTTP API, version 2 (zipkin2-api.yaml): spans in, traces out. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { HttpError } from '../stand-in/http-error.ts';
import { json } from '../stand-in/json.ts';
import type { HttpRequest, Routes } from '../stand-in/router.ts';
import { dependencyLinks } from './dependencies.ts';
import { readSpans, readTraceId } from './span.ts';
import type { Span } from './span.ts';
import { findTraces, readTraceQuery } from './trace-query.ts';
import type { TraceStore } from './trace-store.ts';

/** Bytes of a batch, as it comes and unpacked. */
export const LARGEST_BATCH = 5 * 1024 * 1024;

const unzip = promisify(gunzip);

/** Everything that reporters and readers of traces ask for. */
export function zipkinApi(store: TraceStore): Routes {
  return {
    'POST /api/v2/spans': async (request) => {
      const batch = await unpack(request);
      store.add(readSpans(batch.toString('utf8')), batch.length);
      return { status: 202 };
    },
    'GET /api/v2/traces': ({ query }) =>
      json(findTraces(store.newestFirst(), readTraceQuery(query, Date.now()))),
    'GET /api/v2/trace/:id': ({ params }) => json(traceOf(store, params['id'])),
    'GET /api/v2/services': () => json(servicesOf(store)),
    'GET /api/v2/spans': ({ query }) => json(spanNamesOf(store, query.get('serviceName') ?? '')),
    'GET /api/v2/dependencies': ({ query }) => {
      const period = readTraceQuery(query, Date.now());
      return json(dependencyLinks(findTraces(store.newestFirst(), { ...period, limit: Infinity })));
    },
  };
}

async function unpack({ headers, body }: HttpRequest): Promise<Buffer> {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return body;
  if (encoding !== 'gzip') throw new HttpError(415, 'encoding_unknown', { message: 'gzip or nothing' });
  try {
    return await unzip(body, { maxOutputLength: LARGEST_BATCH });
  } catch {
    throw new HttpError(400, 'span_malformed', { message: `not gzip, or more than ${LARGEST_BATCH} bytes` });
  }
}

/** The spans of a trace; throws 404 when it is not, or no longer, there. */
export function traceOf(store: TraceStore, id: string | undefined): Span[] {
  const trace = store.get(readTraceId(id));
  if (trace === undefined) throw new HttpError(404, 'trace_unknown', { message: 'this trace is not here' });
  return trace;
}

/** The names of all services that reported, sorted. */
export function servicesOf(store: TraceStore): string[] {
  return namesOf(store, ({ localEndpoint }) => localEndpoint?.serviceName);
}

function spanNamesOf(store: TraceStore, service: string): string[] {
  const wanted = service.toLowerCase();
  return namesOf(store, ({ localEndpoint, name }) =>
    localEndpoint?.serviceName === wanted ? name : undefined,
  );
}

function namesOf(store: TraceStore, nameOf: (span: Span) => string | undefined): string[] {
  const names = new Set<string>();
  for (const trace of store.newestFirst()) {
    for (const span of trace) {
      const name = nameOf(span);
      if (name !== undefined && name !== '') names.add(name);
    }
  }
  return [...names].toSorted();
}
