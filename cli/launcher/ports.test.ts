/** Tries the port checks on real ports. */
import { equal, ok, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { test } from 'node:test';
import { demandPorts, freePorts } from './ports.ts';

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

test('a port that stays taken is named, with what to do', async () => {
  const { server, port } = await listen();
  await rejects(demandPorts([{ port, name: 'order-1' }], 300), {
    message: new RegExp(`^port ${port} \\(order-1\\) is taken: .*--offset`),
  });
  server.close();
});

test('a port that is given back in time is no failure', async () => {
  const { server, port } = await listen();
  setTimeout(() => server.close(), 250);
  await demandPorts([{ port, name: 'order-1' }], 5_000);
});

test('free ports are all different and lie below the ephemeral range', async () => {
  const ports = await freePorts(20);
  equal(new Set(ports).size, 20);
  ok(ports.every((port) => port < 32_768));
  await demandPorts(
    ports.map((port) => ({ port, name: 'any' })),
    1_000,
  );
});
