/** The life of a stand-in: environment, log, a port with probes, and an orderly end. */
import { mkdir } from 'node:fs/promises';
import { createLogger } from '#fabric/telemetry/logger.ts';
import type { Logger } from '#fabric/telemetry/logger.ts';
import { standInMetrics } from './metrics.ts';
import { startWebServer } from './web-server.ts';
import type { Site } from './web-server.ts';

/** What a stand-in stands on. */
export type Ground = {
  log: Logger;
  /** Exists. */
  dataDir: string;
  /** That it listens on. */
  port: number;
  env: NodeJS.ProcessEnv;
};

/** What it does there. */
export type Program = Site & {
  /** Gives back what it holds, once no request is open; at most half a second. */
  close?: () => Promise<void>;
};

/** An end that takes longer, in ms, is cut short. */
const LONGEST_END = 1_900;

/**
 * Runs a stand-in until SIGTERM or SIGINT, then exits 0 within 2 s; 1 when it cannot start, after a line that says
 * why. MERCER_HTTP_PORT (0 takes a free one), MERCER_HTTP_BIND (127.0.0.1), MERCER_DATA_DIR
 * (.mercer/data/NAME) and MERCER_LOG_LEVEL (info) are read here, the rest by the program. Writes
 * `{"event":"listening","port":N}` when it can be used; /metrics, /livez and /readyz answer 200 from then on.
 */
export async function runStandIn(
  { name, port }: { name: string; port: number },
  build: (ground: Ground) => Promise<Program>,
): Promise<void> {
  const { env } = process;
  const log = createLogger({ service: name, instance: name, level: env['MERCER_LOG_LEVEL'] ?? 'info' });
  try {
    await live({ name, log, env, dataDir: env['MERCER_DATA_DIR'] ?? `.mercer/data/${name}`, port }, build);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.fatal({ event: 'start_failed', err: error }, `${name} could not start: ${why}`);
    process.exit(1);
  }
}

async function live(
  { name, ...defaults }: Ground & { name: string },
  build: (ground: Ground) => Promise<Program>,
): Promise<void> {
  const { log, env, dataDir } = defaults;
  const metrics = standInMetrics(name);
  const stopped = firstSignal();
  const server = await startWebServer(
    { bind: env['MERCER_HTTP_BIND'] ?? '127.0.0.1', port: portOf(env['MERCER_HTTP_PORT'], defaults.port) },
    {
      onError: (error) => log.error({ event: 'request_failed', err: error }, 'a request failed'),
      onServed: metrics.served,
    },
  );
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const program = await build({ ...defaults, port: server.port });
  const healthy = (): { status: number } => ({ status: 200 });
  const own = { 'GET /metrics': metrics.page, 'GET /livez': healthy, 'GET /readyz': healthy };
  server.serve({ ...program, routes: { ...own, ...program.routes } });
  log.info({ event: 'listening', port: server.port }, 'listening');
  const signal = await stopped;
  log.info({ event: 'stopping', signal }, 'stopping');
  setTimeout(() => process.exit(0), LONGEST_END).unref();
  await server.close();
  await program.close?.();
  process.exit(0);
}

function portOf(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (/^\d{1,5}$/u.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`MERCER_HTTP_PORT must be a port, not "${text}"`);
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, resolve);
  });
}
