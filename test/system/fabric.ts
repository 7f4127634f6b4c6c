/** A whole fabric for a test: started by the command line on free ports, and stopped with everything it began. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MERCER = join(import.meta.dirname, '../../cli/mercer.js');
/** Every default port that the offset moves. */
const PORTS = [8080, 8888, 9000, 9100, 9411, 50050, 50051, 50052, 50053, 50054, 50060, 54320];
const LONGEST_START = 120_000;
/** It puts the gateway on 10080, a port that fetch() does not talk to. */
const REFUSED_BY_FETCH = 2_000;

/** What `mercer up --ready-file` writes. */
export type ReadyFile = {
  gateway: string;
  registry: string;
  idp: string;
  config: string;
  zipkin: string;
  acquirer: string;
  product: string[];
  order: string[];
  payment: string[];
  ca: string;
  configRepo: string;
  databases: { product: string; order: string; payment: string };
  tokens: { admin: string; customer: string };
  logs: string;
};

/** A running fabric. */
export type Fabric = {
  ready: ReadyFile;
  data: string;
  offset: number;
  /** What `mercer up` printed so far. */
  output: () => string;
  /** Runs another word of the command line against this fabric. */
  mercer: (...words: string[]) => Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** Ends it as Ctrl-C does; resolves with the exit code. */
  stop: () => Promise<number | null>;
  /** Ends it and removes its data. */
  [Symbol.asyncDispose]: () => Promise<void>;
};

/** Starts a fabric; rejects with what it printed when it is not ready within two minutes. */
export async function startFabric(...words: string[]): Promise<Fabric> {
  const data = mkdtempSync(join(tmpdir(), 'mercer-system-'));
  chmodSync(data, 0o755);
  return resumeFabric({ data, offset: await freeOffset(), words });
}

/** Starts a fabric on data that is there. */
export async function resumeFabric(where: {
  data: string;
  offset: number;
  words: string[];
}): Promise<Fabric> {
  const { data, offset, words } = where;
  const readyFile = join(data, 'ready.json');
  rmSync(readyFile, { force: true });
  const place = ['--data', data, '--offset', String(offset)];
  const child = spawn(process.execPath, [MERCER, 'up', ...place, '--ready-file', readyFile, ...words]);
  const printed = collect(child);
  await until(() => existsSync(readyFile), child, printed);
  return {
    ready: JSON.parse(readFileSync(readyFile, 'utf8')) as ReadyFile,
    data,
    offset,
    output: printed,
    mercer: (word, ...rest) => runMercer([word ?? '--help', ...place, ...rest]),
    stop: () => stop(child),
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Runs a word of the command line to its end. */
export async function runMercer(
  words: string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MERCER, ...words]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await exit(child);
  return { code, stdout, stderr };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

async function until(done: () => boolean, child: ChildProcess, printed: () => string): Promise<void> {
  const deadline = Date.now() + LONGEST_START;
  while (!done()) {
    if (child.exitCode !== null) throw new Error(`mercer up ended with ${child.exitCode}:\n${printed()}`);
    if (Date.now() > deadline) {
      child.kill('SIGINT');
      throw new Error(`mercer up was not ready in time:\n${printed()}`);
    }
    await sleep(100);
  }
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
  return exit(child);
}

function exit(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

/** An offset at which every port of a fabric is free now; fabrics of parallel tests get different ones. */
async function freeOffset(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const offset = 100 + Math.floor(Math.random() * 90) * 100;
    if (offset === REFUSED_BY_FETCH) continue;
    const free = await Promise.all(PORTS.map((port) => isFree(port + offset)));
    if (free.every(Boolean)) return offset;
  }
  throw new Error('no free range of ports');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
