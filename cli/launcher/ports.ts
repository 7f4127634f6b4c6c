/** Finds out which TCP ports of this machine are free. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';

const HOST = '127.0.0.1';
/** Ports from 50050 lie in Linux's ephemeral range: an outgoing connection may hold one for a moment. */
const PATIENCE = 3_000;
const ASK_EVERY = 200;
/** Below the ephemeral range (32768 on Linux), above well-known servers: nothing comes here by chance. */
const FREE_FROM = 20_000;
const FREE_TO = 32_000;
const MOST_PROBES = 1_000;

/** Of the fetch standard's bad ports, the one that an offset can hit: browsers refuse to talk to it. */
const REFUSED_BY_BROWSERS = 10_080;

/** A port that a process needs, and who it is for. */
export type WantedPort = { port: number; name: string };

/** Rejects with a sentence that names the first port that stays taken for 3 s. */
export async function demandPorts(wanted: readonly WantedPort[], patience = PATIENCE): Promise<void> {
  const late = Date.now() + patience;
  const taken = await Promise.all(wanted.map(({ port }) => isTaken(port, late)));
  const first = wanted.find((_, position) => taken[position]);
  if (first === undefined) return;
  throw new CommandError(
    `port ${first.port} (${first.name}) is taken: stop what listens there, or shift all ports with --offset 100`,
  );
}

/** Ports that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (let probes = 0; servers.length < count; probes += 1) {
      if (probes > MOST_PROBES)
        throw new CommandError(`no free port between ${FREE_FROM} and ${FREE_TO} on ${HOST}`);
      const server = await listen(randomInt(FREE_FROM, FREE_TO));
      if (server !== undefined) servers.push(server);
    }
    return servers.map(portOf);
  } finally {
    await Promise.all(servers.map(close));
  }
}

/** A sentence when a port is one that browsers and fetch refuse; undefined otherwise. */
export function browserWarning(wanted: readonly WantedPort[]): string | undefined {
  const refused = wanted.find(({ port }) => port === REFUSED_BY_BROWSERS);
  if (refused === undefined) return undefined;
  return `Browsers and fetch refuse port ${refused.port} (${refused.name}): choose another --offset to use it from there.`;
}

async function isTaken(port: number, late: number): Promise<boolean> {
  for (;;) {
    const server = await listen(port);
    if (server !== undefined) {
      await close(server);
      return false;
    }
    if (Date.now() >= late) return true;
    await sleep(ASK_EVERY);
  }
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, HOST), 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
