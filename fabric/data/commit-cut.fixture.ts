/** A proxy before PostgreSQL that loses the answer to a COMMIT: it happened, and nobody is told. */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { after } from 'node:test';

/** A proxy that is listening. */
export type CommitCut = {
  /** The database's URL by way of the proxy. */
  url: URL;
  /** Cuts the connection that commits next, once the database has answered. */
  cutNext(): void;
};

/** Opens a proxy before the database of a URL, until the file's tests are over. */
export async function openCommitCut(database: URL): Promise<CommitCut> {
  let armed = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(database.port), database.hostname);
    let cut = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => [client, upstream].map((each) => each.destroy()));
    }
    client.on('data', (bytes) => {
      cut ||= armed && /commit/iu.test(bytes.toString('latin1'));
      if (cut) armed = false;
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => (cut ? client.destroy() : client.write(bytes)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const url = Object.assign(new URL(database), { host: `127.0.0.1:${address.port}` });
  return { url, cutNext: () => (armed = true) };
}
