/** Serves one method of the contracts over HTTP: authenticate, read, call, answer. */
import type { FileRegistry } from '@bufbuild/protobuf';
import { READ_TIMEOUT, WRITE_TIMEOUT } from '#fabric/rpc/deadlines.ts';
import type { TokenVerifier } from '#fabric/identity/token-verifier.ts';
import type { Logger } from '#fabric/telemetry/logger.ts';
import { emptyAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { authenticate } from './authenticate.ts';
import { readBody } from './body.ts';
import type { Endpoint, Exchange } from './endpoint.ts';
import { failureOf } from './failure.ts';
import { idempotencyKey, ifMatch, timeoutOf, upstreamMetadata } from './headers.ts';
import { jsonReader } from './json-read.ts';
import { jsonWriter } from './json-write.ts';
import type { Plan } from './plan.ts';
import { requestBuilder, takesRawBody } from './request.ts';
import type { RequestBuilder } from './request.ts';
import { recordWriter, responseBuilder } from './response.ts';
import type { Route } from './router.ts';
import { pump, streamFormat } from './stream.ts';
import type { Upstream, UpstreamCall } from './upstream.ts';

/**
 * How long the outcome of a stream may stay open, in ms, before the answer begins as a 200 with nothing in it
 * yet: a client that waits for the first change of a quiet stream must see that it is connected.
 */
const PATIENCE = 500;

/** What serving methods stands on. */
export type MethodOptions = { verifier: TokenVerifier; upstream: Upstream; log: Logger };

/** A route for every plan of a descriptor set. */
export function methodRoutes(
  types: FileRegistry,
  plans: readonly Plan[],
  options: MethodOptions,
): Route<Endpoint>[] {
  const reader = jsonReader(types);
  const writer = jsonWriter(types);
  return plans.map((plan) => {
    const build = requestBuilder(plan, { reader, types });
    const call = (exchange: Exchange): Promise<UpstreamCall> =>
      upstreamCall(exchange, { plan, build, options });
    const serve = plan.streams
      ? streamServer(plan, { call, write: recordWriter(plan, writer), options })
      : unaryServer({ call, respond: responseBuilder(plan, writer), options });
    const { httpMethod: method, template, name } = plan;
    return { method, template, name, target: { route: template.text, serve } };
  });
}

type Compiled = { plan: Plan; build: RequestBuilder; options: MethodOptions };

/** Who may not call learns nothing about what a body should look like, and none of it is read. */
async function upstreamCall(exchange: Exchange, { plan, build, options }: Compiled): Promise<UpstreamCall> {
  const { request, requestId, signal } = exchange;
  const { token } = await authenticate(request, plan, options.verifier);
  const parts = {
    segments: exchange.segments,
    query: exchange.query,
    idempotencyKey: idempotencyKey(request, plan),
    etag: ifMatch(request, plan),
    contentType: request.headers['content-type'] ?? '',
  };
  const timeout = timeoutOf(request) ?? defaultTimeout(plan);
  const body = await readBody(exchange, { raw: plan.body.kind === 'none' || takesRawBody(plan) });
  const message = build({ ...parts, body });
  return { plan, message, metadata: upstreamMetadata(request, { plan, token, requestId }), timeout, signal };
}

/** Streams last until they are left. */
function defaultTimeout({ streams, sideEffectFree }: Plan): number | undefined {
  if (streams) return undefined;
  return sideEffectFree ? READ_TIMEOUT : WRITE_TIMEOUT;
}

type Call = (exchange: Exchange) => Promise<UpstreamCall>;

function unaryServer({
  call,
  respond,
  options,
}: {
  call: Call;
  respond: ReturnType<typeof responseBuilder>;
  options: MethodOptions;
}): Endpoint['serve'] {
  return async (exchange) => {
    const bytes = await options.upstream.unary(await call(exchange));
    const { method = 'GET', headers } = exchange.request;
    return respond(bytes, { method, ifNoneMatch: headers['if-none-match'] });
  };
}

/** HEAD of a stream tells what a GET would be, without opening it. */
function streamServer(
  plan: Plan,
  { call, write, options }: { call: Call; write: (bytes: Uint8Array) => string; options: MethodOptions },
): Endpoint['serve'] {
  return async (exchange): Promise<Answer | undefined> => {
    const { request, response } = exchange;
    const signal = AbortSignal.any([exchange.signal, exchange.ending]);
    const format = streamFormat(request.headers.accept);
    const headers = { 'content-type': format.type, 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
    const upstreamRequest = await call({ ...exchange, signal });
    if (request.method === 'HEAD') return emptyAnswer(200, headers);
    const stream = options.upstream.stream(upstreamRequest);
    await stream.opened(PATIENCE);
    response.writeHead(200, headers);
    const error = await pump(stream.messages(), response, { format, write, signal });
    if (error !== undefined) logBreak(options.log, plan, error);
    return undefined;
  };
}

function logBreak(log: Logger, { name }: Plan, error: unknown): void {
  const { reason } = failureOf(error);
  log.info({ event: 'stream_broken', method: name, reason }, 'a stream ended early');
}
