/** The one shape of every error (AIP-193), or RFC 9457's when a client asks for it. */
import { STATUS_CODES } from 'node:http';
import { status } from '@grpc/grpc-js';
import { fromBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { registry } from '#fabric/rpc/descriptors.ts';
import { Any } from '#gen/google/protobuf/any.ts';
import { preferred } from './accept.ts';
import type { Answer } from './answer.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import { jsonWriter } from './json-write.ts';
import { httpStatus } from './status.ts';

const PROBLEM = 'application/problem+json';
const ANY = registry.getMessage('google.protobuf.Any');
const writer = jsonWriter(registry);

/** The answer for anything thrown while a request was served; `accept` is its Accept header. */
export function errorAnswer(error: unknown, accept: string | undefined): Answer & { body: string } {
  const failure = failureOf(error);
  const code = httpStatus(failure.code, failure.reason);
  const asProblem = preferred(accept, [PROBLEM]) !== undefined;
  return {
    status: code,
    headers: {
      'content-type': asProblem ? PROBLEM : 'application/json',
      'cache-control': 'no-store',
      ...explain(code, failure),
    },
    body: asProblem ? problemText(failure, code) : errorRecord(failure),
  };
}

/** `{"error":{..}}`: the body of an error answer, and the last record of a stream that fails. */
export function errorRecord(failure: Failure): string {
  const { reason, message, details } = failure;
  const head = JSON.stringify({
    code: httpStatus(failure.code, reason),
    status: status[failure.code] ?? 'UNKNOWN',
    message,
  });
  return `{"error":${head.slice(0, -1)},"details":${detailsText(details)}}}`;
}

function problemText(failure: Failure, code: number): string {
  const { reason, message, details } = failure;
  const head = JSON.stringify({
    type: reason === undefined ? 'about:blank' : `urn:mercer:error:${reason}`,
    title: STATUS_CODES[code] ?? 'Client Closed Request',
    status: code,
    detail: message,
    code: status[failure.code] ?? 'UNKNOWN',
  });
  return `${head.slice(0, -1)},"details":${detailsText(details)}}`;
}

/** Details of a type that is not known here keep their bytes. */
function detailsText(details: Failure['details']): string {
  if (ANY === undefined) throw new Error('the contracts lack google.protobuf.Any');
  const write = writer.message(ANY);
  const items = details.map((detail) =>
    write(reflect(ANY, fromBinary(ANY, Any.encode(detail).finish()), false)),
  );
  return `[${items.join(',')}]`;
}

/** Headers that RFC 9110 asks for: 401 (15.5.2), 405 (15.5.6); and 429 and 503 (RFC 6585, RFC 9110 10.2.3). */
function explain(code: number, { reason, message, metadata, retryAfter }: Failure): Record<string, string> {
  const headers: Record<string, string> = {};
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter);
  if (code === 405) headers['allow'] = metadata['allow'] ?? '';
  if (code === 401) headers['www-authenticate'] = challenge(reason, message);
  return headers;
}

/** RFC 6750, section 3: no error code where no token was given. */
function challenge(reason: string | undefined, message: string): string {
  if (reason === 'TOKEN_INVALID' || reason === 'TOKEN_EXPIRED')
    return `Bearer realm="mercer", error="invalid_token", error_description="${message.replaceAll(/[^ !#-[\]-~]/gu, '')}"`;
  return 'Bearer realm="mercer"';
}
