/** A process with a real gRPC xDS client: told by its parent whom to call, it tells who answered. */
import { Client, credentials, status } from '@grpc/grpc-js';
import { useXds } from '#fabric/discovery/xds.ts';

/** What the parent asks for. */
export type Order = { target: string; calls: number; timeout: number };
/** The port that answered each call, or the code with which it failed, and how long all took, in ms. */
export type Answers = { answers: string[]; took: number };

const [server = '', zone = ''] = process.argv.slice(2);
useXds({ server, node: `caller-${process.pid}`, zone });
const clients = new Map<string, Client>();

process.on('message', (order: Order) => void work(order));
process.send?.('ready');

async function work({ target, calls, timeout }: Order): Promise<void> {
  const client = clients.get(target) ?? new Client(target, credentials.createInsecure());
  clients.set(target, client);
  const started = performance.now();
  const answers: string[] = [];
  for (let made = 0; made < calls; made += 1) answers.push(await call(client, timeout));
  process.send?.({ answers, took: performance.now() - started } satisfies Answers);
}

function call(client: Client, timeout: number): Promise<string> {
  const same = (bytes: Buffer): Buffer => bytes;
  const deadline = Date.now() + timeout;
  return new Promise((resolve) => {
    client.makeUnaryRequest('/test.Backend/Who', same, same, Buffer.alloc(0), { deadline }, (error, answer) =>
      resolve(error === null ? String(answer) : (status[error.code] ?? '')),
    );
  });
}
