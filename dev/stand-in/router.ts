/** Finds who answers a request by method and path. */
import type { IncomingHttpHeaders } from 'node:http';
import { HttpError } from './http-error.ts';

/** A request whose body has been read. */
export type HttpRequest = {
  /** What `:name` segments of the route matched, decoded. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Of the peer; empty when it is gone. */
  remoteAddress: string;
  body: Buffer;
  /** Aborted when the client hangs up or the process ends. */
  over: AbortSignal;
};

/** An answer; `type` is text/plain unless said. */
export type HttpAnswer = {
  status: number;
  type?: string;
  body?: string;
  headers?: Readonly<Record<string, string>>;
};

/** Answers a request, or 'nothing': then the connection is cut. A HttpError becomes its answer, another error 500. */
export type Handler = (request: HttpRequest) => HttpAnswer | 'nothing' | Promise<HttpAnswer | 'nothing'>;

/** By method and path, `GET /v1/charges/:id`. */
export type Routes = Readonly<Record<string, Handler>>;

/** Who answers, by which path of the routes, and with which parameters. */
export type Match = { handler: Handler; route: string; params: Record<string, string> };

/** Looks a request up; HEAD is looked up as GET. Throws 405 with Allow; undefined when no route has the path. */
export type Router = (method: string, path: string) => Match | undefined;

/** Compiles routes; a fixed segment is given before a parameter by the order of the routes. */
export function router(routes: Routes): Router {
  const compiled = Object.entries(routes).map(([route, handler]) => {
    const [method = '', path = ''] = route.split(' ');
    return { method, route: path, segments: path.split('/'), handler };
  });
  return (method, path) => {
    const segments = path.split('/');
    const fitting = compiled.flatMap((route) => {
      const params = bind(route.segments, segments);
      return params === undefined ? [] : [{ ...route, params }];
    });
    const found = fitting.find((route) => route.method === (method === 'HEAD' ? 'GET' : method));
    if (found === undefined && fitting.length > 0) throw notAllowed(fitting.map((route) => route.method));
    return found;
  };
}

function bind(route: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  if (route.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of route.entries()) {
    const given = path[index] ?? '';
    if (segment.startsWith(':')) params[segment.slice(1)] = decode(given);
    else if (segment !== given) return undefined;
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, 'path_malformed', { message: 'the path is not percent-encoded UTF-8' });
  }
}

function notAllowed(methods: string[]): HttpError {
  const allow = [...new Set(methods.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each])))].sort();
  return new HttpError(405, 'method_not_allowed', {
    message: `this path takes ${allow.join(', ')}`,
    headers: { allow: allow.join(', ') },
  });
}
