/** Headers of every answer: what the request is called, and what browsers may do with the answer. */
import { activeTraceId } from '#fabric/telemetry/tracing.ts';

/** On every answer; an endpoint may say it otherwise. */
const SECURITY: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-site',
};

/** x-request-id and x-trace-id, by which logs and traces find the request, and the security headers. */
export function commonHeaders(requestId: string): Record<string, string> {
  return { ...SECURITY, 'x-request-id': requestId, 'x-trace-id': activeTraceId() ?? '' };
}
