/** How a trace crosses processes: B3 single header out, B3 single and multi header and W3C in. */
import { TraceFlags, trace } from '@opentelemetry/api';
import type { TextMapGetter, TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';

/** B3 wins where a request carries both, because it is read last. */
export function tracePropagator(): TextMapPropagator {
  const b3 = new B3Propagator({ injectEncoding: B3InjectEncoding.SINGLE_HEADER });
  const propagators = [readOnly(new W3CTraceContextPropagator()), b3, denial()];
  return new CompositePropagator({ propagators });
}

function readOnly(propagator: TextMapPropagator): TextMapPropagator {
  return {
    inject: () => undefined,
    extract: (context, carrier, getter) => propagator.extract(context, carrier, getter),
    fields: () => [],
  };
}

/**
 * `b3: 0` and `X-B3-Sampled: 0` without ids ask not to be traced (openzipkin/b3-propagation, "deny"). The
 * B3 propagator ignores them; here they become an unsampled parent, so that nothing downstream records.
 */
function denial(): TextMapPropagator {
  const ids = new RandomIdGenerator();
  return {
    inject: () => undefined,
    extract: (context, carrier, getter) => {
      if (trace.getSpanContext(context) !== undefined || !denied(carrier, getter)) return context;
      const parent = { traceId: ids.generateTraceId(), spanId: ids.generateSpanId(), isRemote: true };
      return trace.setSpanContext(context, { ...parent, traceFlags: TraceFlags.NONE });
    },
    fields: () => [],
  };
}

function denied<T>(carrier: T, getter: TextMapGetter<T>): boolean {
  return first(getter.get(carrier, 'b3')) === '0' || first(getter.get(carrier, 'x-b3-sampled')) === '0';
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
