/** The trace collector of a development machine: speaks Zipkin's API and shows traces on a page of its own. */
import type { Handler } from '../stand-in/router.ts';
import { runStandIn } from '../stand-in/stand-in.ts';
import { traceListPage } from './trace-list-page.ts';
import { tracePage } from './trace-page.ts';
import { findTraces, readTraceQuery } from './trace-query.ts';
import { TraceStore } from './trace-store.ts';
import { LARGEST_BATCH, servicesOf, traceOf, zipkinApi } from './zipkin-api.ts';

/** Traces on the list unless told otherwise. */
const LISTED = '50';

await runStandIn({ name: 'collector', port: 9411 }, () => {
  const store = new TraceStore();
  const list: Handler = ({ query }) => {
    if (!query.has('limit')) query.set('limit', LISTED);
    const traces = findTraces(store.newestFirst(), readTraceQuery(query, Date.now()));
    return traceListPage({ traces, services: servicesOf(store), query });
  };
  return Promise.resolve({
    routes: {
      'GET /': list,
      'GET /zipkin': list,
      'GET /zipkin/': list,
      'GET /zipkin/traces/:id': ({ params }) => tracePage(traceOf(store, params['id']), servicesOf(store)),
      ...zipkinApi(store),
    },
    largestBody: LARGEST_BATCH,
  });
});
