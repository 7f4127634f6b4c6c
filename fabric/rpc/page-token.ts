/** Page tokens: a position in a list, signed, and bound to the query it was issued for (AIP-158). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { StatusError } from './status-error.ts';

/** Signs and reads page tokens. `query` is the canonical text of everything else in the request. */
export type PageTokens = {
  sign(query: string, position: unknown): string;
  /** The position; INVALID_ARGUMENT with reason PAGE_TOKEN_INVALID when it was not issued for this query. */
  read(query: string, token: string): unknown;
};

/** Page tokens signed by HMAC-SHA256; replicas that share the secret accept each other's. */
export function pageTokens(secret: string): PageTokens {
  function mac(query: string, payload: string): Buffer {
    return createHmac('sha256', secret).update(`${query}\n${payload}`).digest().subarray(0, 16);
  }
  return {
    sign(query, position) {
      const payload = Buffer.from(JSON.stringify(position)).toString('base64url');
      return `${payload}.${mac(query, payload).toString('base64url')}`;
    },
    read(query, token) {
      const [payload = '', signature = '', ...rest] = token.split('.');
      const given = Buffer.from(signature, 'base64url');
      const wanted = mac(query, payload);
      if (rest.length > 0 || given.length !== wanted.length || !timingSafeEqual(given, wanted))
        throw invalid();
      return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    },
  };
}

function invalid(): StatusError {
  return new StatusError(status.INVALID_ARGUMENT, 'page_token was not issued for this query', {
    reason: 'PAGE_TOKEN_INVALID',
    metadata: { field: 'page_token' },
  });
}
