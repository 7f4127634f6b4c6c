/** Starts a launcher that outlives the command that started it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import { FAILED } from '../exit-codes.ts';
import { ROOT } from '../root.ts';
import type { BannerFacts } from './banner.ts';
import { logFileOf, openLogs, rotate } from './log-files.ts';
import { logReader } from './log-reader.ts';
import type { LogReader } from './log-reader.ts';

const LOOK_EVERY = 100;

/**
 * Runs `mercer WORDS` in the background and resolves when its fabric is ready; meanwhile its lines are printed
 * here. Rejects with what it said last when it ends before. Ctrl-C ends it, until it is ready.
 */
export async function startInBackground(data: string, words: readonly string[]): Promise<BannerFacts> {
  await mkdir(data, { recursive: true, mode: 0o755 });
  const logFile = logFileOf(await openLogs(data), 'launcher');
  await rotate(logFile);
  const reader = await logReader(logFile, { fromEnd: true });
  const launcher = await spawnLauncher(words, logFile);
  const interrupt = (): void => void launcher.kill('SIGTERM');
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await follow(launcher, reader);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    launcher.unref();
  }
}

async function spawnLauncher(words: readonly string[], logFile: string): Promise<ChildProcess> {
  await using log = await open(logFile, 'a', 0o600);
  return spawn(process.execPath, [join(ROOT, 'cli/main.ts'), ...words], {
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
    detached: true,
  });
}

/** Prints lines until the launcher sends what the banner is made of, or ends. */
async function follow(launcher: ChildProcess, reader: LogReader): Promise<BannerFacts> {
  const heard: { facts?: BannerFacts; exitCode?: number } = {};
  launcher.once('message', (message) => {
    heard.facts = message as BannerFacts;
  });
  launcher.once('exit', (code) => {
    heard.exitCode = code ?? FAILED;
  });
  for (;;) {
    // What was heard before the log is read: its lines are then complete.
    const { facts, exitCode } = heard;
    const lines = await reader.read();
    if (exitCode !== undefined) throw lastSentence(lines, exitCode);
    for (const line of lines) console.log(line);
    if (facts !== undefined) return facts;
    await sleep(LOOK_EVERY);
  }
}

/** The launcher's own complaint, "mercer: ...", becomes this command's. */
function lastSentence(lines: readonly string[], exitCode: number): CommandError {
  for (const line of lines.slice(0, -1)) console.log(line);
  const words = lines.at(-1)?.replace(/^mercer: /, '') ?? 'the launcher ended without a word';
  return new CommandError(words, { exitCode });
}
