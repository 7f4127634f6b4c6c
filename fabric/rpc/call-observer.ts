/** The one client interceptor: counts and times every outgoing call, whoever makes it. */
import { InterceptingCall } from '@grpc/grpc-js';
import type { Interceptor, StatusObject } from '@grpc/grpc-js';
import type { RpcMetrics } from '../telemetry/metrics.ts';

/** Reports each call's path, code and seconds when its status arrives. */
export function callObserver(metrics: RpcMetrics): Interceptor {
  return (options, nextCall) => {
    const started = performance.now();
    const { path } = options.method_definition;
    return new InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) =>
        next(metadata, {
          onReceiveStatus: (outcome: StatusObject, forward: (outcome: StatusObject) => void) => {
            metrics.called(path, outcome.code, (performance.now() - started) / 1000);
            forward(outcome);
          },
        }),
    });
  };
}
