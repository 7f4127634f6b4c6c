/** Probes on the public port, for load balancers: /healthz and /livez (it runs), /readyz (it takes requests). */
import type { Answer } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Route } from './router.ts';
import { parseTemplate } from './template.ts';

/** The routes of the probes; `draining` says that the process is about to end. */
export function probeRoutes(draining: () => boolean): Route<Endpoint>[] {
  const live = (): Answer => probe(true);
  const ready = (): Answer => probe(!draining());
  return [route('/healthz', live), route('/livez', live), route('/readyz', ready)];
}

function route(path: string, answer: () => Answer): Route<Endpoint> {
  const template = parseTemplate(path);
  const target: Endpoint = { route: path, quiet: true, serve: () => Promise.resolve(answer()) };
  return { method: 'GET', template, name: `probe ${path}`, target };
}

function probe(ok: boolean): Answer {
  return {
    status: ok ? 200 : 503,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify({ ok }),
  };
}
