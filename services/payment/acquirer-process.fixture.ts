/** The acquirer of a development machine as its own process, and a place where its events arrive. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after } from 'node:test';

const MAIN = join(import.meta.dirname, '../../dev/acquirer/main.ts');

/** An event as it came over HTTP. */
export type Delivery = { body: Buffer; signature: string | undefined };

/** Takes deliveries at a URL; what throws is answered 500, so that the event comes again. */
export async function receiveEvents(take: (delivery: Delivery) => Promise<void>): Promise<string> {
  const server = createServer((request, response) => {
    const signature = request.headersDistinct['mercer-signature']?.[0];
    const taken = text(request).then((body) => take({ body: Buffer.from(body), signature }));
    taken.then(
      () => response.writeHead(200).end(),
      () => response.writeHead(500).end(),
    );
  });
  after(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/events`;
}

/** Starts the process; it ends when the file's tests are over. Resolves with its URL. */
export async function startAcquirerProcess(events: { url: string; secret: string }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mercer-acquirer-'));
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'] ?? '',
      MERCER_HTTP_PORT: '0',
      MERCER_DATA_DIR: folder,
      MERCER_ACQUIRER_EVENT_URL: events.url,
      MERCER_ACQUIRER_EVENT_SECRET: events.secret,
    },
  });
  after(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  for await (const line of createInterface({ input: child.stdout, signal: AbortSignal.timeout(15_000) })) {
    const { event, port } = JSON.parse(line) as Record<string, unknown>;
    if (event === 'listening') return `http://127.0.0.1:${String(port)}`;
  }
  throw new Error('the acquirer ended');
}
