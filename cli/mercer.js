#!/usr/bin/env node
/** The `mercer` command: sees that all is installed, then runs cli/main.ts under the pinned Node. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { install } from './install.js';
import { PINNED_NODE, ROOT } from './installation.js';

const problem = await install();
if (problem === undefined) runPinned();
else {
  process.stderr.write(`mercer: ${problem}\n`);
  process.exitCode = 1;
}

/** Replaces this process where Node can (22.15 and newer); older ones stay as a wrapper. */
function runPinned() {
  const command = [PINNED_NODE, join(ROOT, 'cli/main.ts'), ...process.argv.slice(2)];
  const environment = { NODE_COMPILE_CACHE: join(ROOT, '.mercer/cache'), ...process.env };
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.execve(command[0], command, environment);
  } else wrap(command, environment);
}

function wrap([file, ...args], env) {
  const child = spawn(file, args, { stdio: 'inherit', env });
  // A terminal signals the child too; the launcher takes two signals at the same moment for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`mercer: the pinned Node.js did not start: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
