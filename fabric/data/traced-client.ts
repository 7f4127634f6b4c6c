/** A pg client whose statements show as spans: what was done to which table, never with which values. */
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import pg from 'pg';
import { sqlState } from './database-error.ts';

/**
 * A constructor for pg's pool option `Client`. Statements outside of a trace, such as pings, make no span.
 * The ORM writes values into its statements, so the text itself is never recorded.
 */
export function tracedClient(database: string): new (config?: pg.ClientConfig) => pg.Client {
  function TracedClient(config?: pg.ClientConfig): pg.Client {
    return traceQueries(new pg.Client(config), database);
  }
  // A function that returns an object can be called with `new`, which is how the pool makes its clients.
  return TracedClient as unknown as new (config?: pg.ClientConfig) => pg.Client;
}

function traceQueries(client: pg.Client, database: string): pg.Client {
  const query = client.query.bind(client) as (...parameters: unknown[]) => unknown;
  return Object.assign(client, {
    query: (...parameters: unknown[]) => {
      if (trace.getActiveSpan() === undefined) return query(...parameters);
      const span = startSpan(statementOf(parameters[0]), database);
      const result = query(...parameters);
      if (result instanceof Promise)
        result.then(
          () => span.end(),
          (error: unknown) => fail(span, error),
        );
      else span.end();
      return result;
    },
  });
}

function statementOf(first: unknown): string {
  if (typeof first === 'string') return first;
  const text = typeof first === 'object' && first !== null && 'text' in first ? first.text : undefined;
  return typeof text === 'string' ? text : '';
}

function startSpan(statement: string, database: string): Span {
  const { operation, table } = summarize(statement);
  return trace.getTracer('mercer').startSpan(table === '' ? operation : `${operation} ${table}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'db.system.name': 'postgresql',
      'db.namespace': database,
      'db.operation.name': operation,
      ...(table === '' ? {} : { 'db.collection.name': table }),
    },
  });
}

/** What a statement does and to which table it writes, else from which it reads first. */
export function summarize(statement: string): { operation: string; table: string } {
  const text = statement.slice(0, 4_000);
  const write =
    /\b(insert)\s+into\s+"?(\w+)|\b(update)\s+"?(\w+)"?\s+(?:as\s+\S+\s+)?set\b|\b(delete)\s+from\s+"?(\w+)/iu.exec(
      text,
    );
  if (write !== null) {
    return {
      operation: (write[1] ?? write[3] ?? write[5] ?? '').toUpperCase(),
      table: write[2] ?? write[4] ?? write[6] ?? '',
    };
  }
  const operation = /^\W*(\w+)/u.exec(text)?.[1]?.toUpperCase() ?? 'QUERY';
  const reads = operation === 'SELECT' || operation === 'WITH';
  return { operation, table: reads ? (/\bfrom\s+"?(\w+)/iu.exec(text)?.[1] ?? '') : '' };
}

function fail(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: sqlState(error) ?? 'error' });
  span.end();
}
