/** A Zipkin collector for tests: keeps the spans that are posted to it, or misbehaves on request. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';

/** A span as Zipkin's v2 API writes it. */
export type ZipkinSpan = {
  traceId: string;
  id: string;
  parentId?: string;
  name: string;
  kind?: string;
  localEndpoint: { serviceName: string };
  tags: Record<string, string>;
};

/** A collector on a free port of this machine. */
export type Collector = {
  url: string;
  spans: ZipkinSpan[];
  server: Server;
  [Symbol.asyncDispose]: () => Promise<void>;
};

/** "stalled" reads a batch and never answers. */
export async function startCollector(mode: 'ok' | 'failing' | 'stalled' = 'ok'): Promise<Collector> {
  const spans: ZipkinSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (mode === 'stalled') return;
      if (mode === 'ok' && request.url === '/api/v2/spans')
        spans.push(...(JSON.parse(Buffer.concat(chunks).toString()) as ZipkinSpan[]));
      response.writeHead(mode === 'ok' ? 202 : 500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    server,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
