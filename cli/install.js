/** Installs what package-lock.json asks for, if it is not there yet, in words a newcomer understands. */
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { isInstalled, ROOT } from './installation.js';

const OLDEST_NODE = 20;
const TAIL_LINES = 15;

/** Returns undefined when all is in place, else one sentence that says why it is not. */
export async function install() {
  const version = process.versions.node;
  if (Number.parseInt(version, 10) < OLDEST_NODE) {
    return `Node.js ${OLDEST_NODE} or newer is needed; this is ${version}`;
  }
  if (isInstalled()) return undefined;
  const progress = showProgress();
  const outcome = await npmCi();
  progress.end(outcome.ok && isInstalled());
  if (!outcome.ok) return explain(outcome.output);
  return isInstalled()
    ? undefined
    : 'npm ci left the installation incomplete: was it run with --ignore-scripts?';
}

/** npm's warnings (EBADENGINE above all: the pinned Node comes by this very installation) stay hidden. */
function npmCi() {
  return new Promise((resolve) => {
    let output = '';
    const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    const keep = (chunk) => {
      output = (output + String(chunk)).slice(-20_000);
    };
    npm.stdout.on('data', keep);
    npm.stderr.on('data', keep);
    npm.on('error', (error) => resolve({ ok: false, output: String(error) }));
    npm.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

function explain(output) {
  if (/spawn npm ENOENT/.test(output)) return 'npm was not found on PATH; it comes with Node.js';
  if (/ENOSPC/.test(output)) return `no disk space left for the installation in ${ROOT}`;
  const tail = output.trim().split('\n').slice(-TAIL_LINES);
  process.stderr.write(`${tail.map((line) => `  ${line}`).join('\n')}\n`);
  return 'npm ci failed; its last lines stand above';
}

/** A line that counts the seconds on a terminal, two plain lines elsewhere. */
function showProgress() {
  const out = process.stderr;
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const text = 'Installing the packages of package-lock.json (the pinned Node.js among them)';
  if (!out.isTTY) out.write(`${text} ...\n`);
  const paint = () => out.write(`\r${text} ... ${seconds()}`);
  const timer = out.isTTY ? setInterval(paint, 500) : undefined;
  return {
    end(ok) {
      clearInterval(timer);
      out.write(`${out.isTTY ? '\r\u001b[K' : ''}${ok ? 'Installed' : 'Gave up'} after ${seconds()}\n`);
    },
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const problem = await install();
  if (problem !== undefined) {
    process.stderr.write(`mercer: ${problem}\n`);
    process.exitCode = 1;
  }
}
