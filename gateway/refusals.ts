/** Every answer with which the gateway itself refuses a request. */
import { status } from '@grpc/grpc-js';
import { StatusError } from '#fabric/rpc/status-error.ts';

/** 400: the body is not what RFC 8259 calls JSON. */
export function invalidJson(why: string): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `the body is not acceptable JSON: ${why}`, {
    reason: 'INVALID_JSON',
  });
}

/** 400: the request target cannot be read. */
export function invalidTarget(why: string): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `the request target is not acceptable: ${why}`, {
    reason: 'INVALID_TARGET',
  });
}

/** 400: a header that has a meaning here holds something else. */
export function invalidHeader(header: string, why: string): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `${header}: ${why}`, {
    reason: 'INVALID_HEADER',
    metadata: { header },
  });
}

/** 400: bytes that are no HTTP/1.1 request. */
export function malformedRequest(): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, 'the request is not well-formed HTTP/1.1', {
    reason: 'MALFORMED_REQUEST',
  });
}

/** 400: a body where the route takes none. */
export function unexpectedBody(): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, 'this route takes no body', { reason: 'UNEXPECTED_BODY' });
}

/** 400: more query parameters than any request needs. */
export function tooManyParameters(limit: number): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `the query has more than ${limit} parameters`, {
    reason: 'TOO_MANY_PARAMETERS',
    metadata: { limit: String(limit) },
  });
}

/** 404: no route has this path. */
export function routeNotFound(): StatusError {
  return new StatusError(status.NOT_FOUND, 'there is nothing at this path', { reason: 'ROUTE_NOT_FOUND' });
}

/** 405: the path has other methods; they become the Allow header. */
export function methodNotAllowed(method: string, allow: readonly string[]): StatusError {
  return new StatusError(status.UNIMPLEMENTED, `${method} is not allowed at this path`, {
    reason: 'METHOD_NOT_ALLOWED',
    metadata: { allow: allow.join(', ') },
  });
}

/** 408: the client did not send its request in time. */
export function requestTimeout(): StatusError {
  return new StatusError(status.DEADLINE_EXCEEDED, 'the request did not arrive in time', {
    reason: 'REQUEST_TIMEOUT',
  });
}

/** 413: `limit` is in bytes. */
export function bodyTooLarge(limit: number): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `the body is larger than ${limit} bytes`, {
    reason: 'BODY_TOO_LARGE',
    metadata: { limit: String(limit) },
  });
}

/** 414: `limit` is in bytes. */
export function targetTooLong(limit: number): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `the request target is longer than ${limit} bytes`, {
    reason: 'TARGET_TOO_LONG',
    metadata: { limit: String(limit) },
  });
}

/** 415: the route reads `supported` only. */
export function unsupportedMediaType(supported: string): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `the body must be ${supported}`, {
    reason: 'UNSUPPORTED_MEDIA_TYPE',
    metadata: { supported },
  });
}

/** 415: compressed bodies are not read. */
export function unsupportedEncoding(): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, 'the body must not have a Content-Encoding', {
    reason: 'UNSUPPORTED_CONTENT_ENCODING',
  });
}

/** 417: the only expectation there is, is 100-continue (RFC 9110, section 10.1.1). */
export function expectationFailed(): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, 'this expectation cannot be met', {
    reason: 'EXPECTATION_FAILED',
  });
}

/** 431: `limit` is in bytes. */
export function headersTooLarge(limit: number): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, `the headers are larger than ${limit} bytes`, {
    reason: 'HEADERS_TOO_LARGE',
    metadata: { limit: String(limit) },
  });
}

/** 401: this method needs a user. */
export function tokenMissing(): StatusError {
  return new StatusError(status.UNAUTHENTICATED, 'this method needs a user token', {
    reason: 'TOKEN_MISSING',
  });
}

/** 401: not one Bearer token (RFC 6750, section 2.1). */
export function tokenMalformed(): StatusError {
  return new StatusError(status.UNAUTHENTICATED, 'authorization must be one Bearer token', {
    reason: 'TOKEN_INVALID',
  });
}

/** 403: the user's roles do not admit it. */
export function accessDenied(method: string): StatusError {
  return new StatusError(status.PERMISSION_DENIED, 'the caller may not call this method', {
    reason: 'ACCESS_DENIED',
    metadata: { method },
  });
}

/** 499: nobody waits for the answer any more. */
export function clientGone(): StatusError {
  return new StatusError(status.CANCELLED, 'the client went away', { reason: 'CANCELLED' });
}

/** 503: this process is about to end. */
export function shuttingDown(): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the gateway is shutting down', { reason: 'SHUTTING_DOWN' });
}
