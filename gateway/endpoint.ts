/** What a route leads to, and what it is given. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';

/** One request and its answer on their way through the gateway. */
export type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  /** Raw segments of the path, without a verb. */
  segments: readonly string[];
  /** Raw query, without its "?". */
  query: string;
  requestId: string;
  /** Aborts with a StatusError when the client goes away. */
  signal: AbortSignal;
  /** Aborts with a StatusError when the gateway is about to end; streams end with it. */
  ending: AbortSignal;
};

/** Serves the requests of one route. */
export type Endpoint = {
  /** The route as spans, metrics and logs call it: the path template. */
  route: string;
  /** Asked so often, and saying so little, that it is neither traced nor logged. */
  quiet?: true;
  /** The answer; undefined when it was written to the response already. Rejects with what an error answer tells. */
  serve: (exchange: Exchange) => Promise<Answer | undefined>;
};
