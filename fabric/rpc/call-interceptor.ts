/** The one server interceptor: identity, access, deadline, context and metrics of every incoming call. */
import { ServerInterceptingCall, status } from '@grpc/grpc-js';
import type { Metadata, ServerInterceptingCallInterface, ServerInterceptor } from '@grpc/grpc-js';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, propagation, trace } from '@opentelemetry/api';
import { randomUUID } from 'node:crypto';
import type { Principal } from '../identity/principal.ts';
import type { TokenVerifier } from '../identity/token-verifier.ts';
import { peerIdentity } from '../identity/workload.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { RpcMetrics } from '../telemetry/metrics.ts';
import { judge } from './access.ts';
import { runInCall } from './call-context.ts';
import type { CallContext } from './call-context.ts';
import { incomingDeadline } from './deadlines.ts';
import { methodOf } from './descriptors.ts';
import type { MethodInfo } from './descriptors.ts';
import { writeDetails } from './status-details.ts';
import { StatusError, toStatusError } from './status-error.ts';

/** What the interceptor needs. */
export type CallPolicy = { verifier: TokenVerifier; log: Logger; metrics: RpcMetrics };

/** The standard services carry no access option: any workload with a certificate of the CA may call them. */
const STANDARD = /^\/grpc\.(?:health|reflection)\./u;
/** Headers that the gateway lets through to methods which are authenticated by signature. */
const SIGNATURES = ['mercer-signature', 'stripe-signature'];
const NEVER = new Date(8_640_000_000_000_000);

/** Lets a call through to its handler only when the access option of its method admits it. */
export function callInterceptor(policy: CallPolicy): ServerInterceptor {
  return (definition, call) => {
    const served = new ServedCall(
      definition.path,
      !definition.responseStream && !definition.requestStream,
      policy,
    );
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, forward) => served.open(call, metadata, forward),
          onReceiveMessage: (message, forward) => served.run(() => forward(message)),
          onReceiveHalfClose: (forward) => served.run(forward),
          onCancel: () => served.cancel(),
        }),
      sendStatus: (outcome, forward) => {
        served.close(outcome.code);
        forward(outcome);
      },
    });
  };
}

/** One call from its metadata to its status. */
class ServedCall {
  readonly #path: string;
  readonly #unary: boolean;
  readonly #policy: CallPolicy;
  readonly #method: MethodInfo | undefined;
  readonly #signed: boolean;
  readonly #controller = new AbortController();
  readonly #started = performance.now();
  #context: CallContext | undefined;
  #closed = false;

  constructor(path: string, unary: boolean, policy: CallPolicy) {
    this.#path = path;
    this.#unary = unary;
    this.#policy = policy;
    this.#method = methodOf(path);
    this.#signed = this.#method?.access.some((rule) => rule.signature) ?? false;
  }

  open(
    call: ServerInterceptingCallInterface,
    metadata: Metadata,
    forward: (metadata: Metadata) => void,
  ): void {
    const admitted = (context: CallContext): void => {
      this.#context = context;
      this.run(() => forward(metadata));
    };
    const refused = (error: unknown): void => this.#refuse(call, metadata, toStatusError(error));
    try {
      const context = this.#admit(call, metadata);
      if (context instanceof Promise) context.then(admitted, refused);
      else admitted(context);
    } catch (error) {
      refused(error);
    }
  }

  run(work: () => void): void {
    runInCall(this.#context, work);
  }

  /** Also fired after every completed call: only an open one was cancelled. */
  cancel(): void {
    if (!this.#closed) this.close(status.CANCELLED);
    this.#controller.abort();
  }

  close(code: status): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#policy.metrics.served(this.#path, code, (performance.now() - this.#started) / 1000);
    if (code !== status.OK) this.#controller.abort();
  }

  #admit(call: ServerInterceptingCallInterface, metadata: Metadata): CallContext | Promise<CallContext> {
    const caller = peerIdentity(call.getAuthContext().sslPeerCertificate?.subjectaltname);
    const token = bearerToken(metadata);
    const user = token === undefined ? undefined : this.#policy.verifier.verify(token);
    const judged = (principal: Principal | undefined): CallContext => {
      this.#judge(caller, principal);
      return this.#contextOf(call, metadata, { caller, token, user: principal });
    };
    return user instanceof Promise ? user.then(judged) : judged(user);
  }

  #judge(caller: string | undefined, user: Principal | undefined): void {
    if (STANDARD.test(this.#path)) return;
    const verdict = judge(this.#method?.access ?? [], { caller, user });
    if (verdict === 'unauthenticated') {
      throw new StatusError(status.UNAUTHENTICATED, 'this method needs a user token', {
        reason: 'TOKEN_MISSING',
      });
    }
    if (verdict === 'denied') {
      throw new StatusError(status.PERMISSION_DENIED, 'the caller may not call this method', {
        reason: 'ACCESS_DENIED',
        metadata: { method: this.#path, caller: caller ?? '' },
      });
    }
  }

  #contextOf(
    call: ServerInterceptingCallInterface,
    metadata: Metadata,
    who: Pick<CallContext, 'caller' | 'token' | 'user'>,
  ): CallContext {
    const asked = call.getDeadline();
    const deadline = this.#unary
      ? incomingDeadline(asked, this.#method?.sideEffectFree ?? true)
      : streamDeadline(asked);
    const requestId = metadata.get('x-request-id')[0];
    return {
      ...who,
      method: this.#path,
      signature: this.#signed ? signatureOf(metadata) : undefined,
      requestId: typeof requestId === 'string' ? requestId : randomUUID(),
      deadline,
      signal: this.#controller.signal,
      onFailure: (failure) => this.#logFailure(failure),
    };
  }

  #logFailure(failure: StatusError): void {
    const fields = {
      event: 'call_failed',
      method: this.#path,
      code: status[failure.code],
      reason: failure.reason,
    };
    const broken = failure.code === status.INTERNAL || failure.code === status.UNKNOWN;
    if (broken) this.#policy.log.error({ ...fields, err: failure.cause ?? failure }, 'call failed');
    else this.#policy.log.debug(fields, 'call refused');
  }

  #refuse(call: ServerInterceptingCallInterface, metadata: Metadata, failure: StatusError): void {
    this.#logFailure(failure);
    this.#traceRefusal(metadata, failure);
    this.close(failure.code);
    call.sendStatus({ code: failure.code, details: failure.message, metadata: writeDetails(failure) });
  }

  /** The instrumentation wraps handlers, which a refused call never reaches. */
  #traceRefusal(metadata: Metadata, failure: StatusError): void {
    const parent = propagation.extract(ROOT_CONTEXT, metadata.getMap());
    const span = trace
      .getTracer('mercer')
      .startSpan(`grpc.${this.#path.slice(1)}`, { kind: SpanKind.SERVER }, parent);
    span.setStatus({ code: SpanStatusCode.ERROR, message: status[failure.code] });
    span.end();
  }
}

function streamDeadline(asked: Date | number): Date {
  const time = typeof asked === 'number' ? asked : asked.getTime();
  return Number.isFinite(time) ? new Date(time) : NEVER;
}

/** Whoever has two signatures has none. */
function signatureOf(metadata: Metadata): string | undefined {
  const given = SIGNATURES.flatMap((name) => metadata.get(name));
  return given.length === 1 && typeof given[0] === 'string' ? given[0] : undefined;
}

/** RFC 6750 section 2.1; a header in another scheme is a bad token, not none. */
function bearerToken(metadata: Metadata): string | undefined {
  const [header, ...more] = metadata.get('authorization');
  if (header === undefined) return undefined;
  const match = more.length === 0 && typeof header === 'string' ? /^Bearer (\S+)$/iu.exec(header) : null;
  if (match?.[1] !== undefined) return match[1];
  throw new StatusError(status.UNAUTHENTICATED, 'authorization must be one Bearer token', {
    reason: 'TOKEN_INVALID',
  });
}
