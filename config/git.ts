/** Runs git on one bare repository, each call with a deadline and a bound on its output. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams as Child } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** How one call differs from the defaults. */
export type GitOptions = {
  /** Written to its standard input. */
  input?: string;
  /** Deadline in ms; default 5 s, for what reads local objects. */
  timeout?: number;
  /** Ends it earlier. */
  signal?: AbortSignal;
};

/** Runs git with arguments and resolves with its standard output; rejects with git's own last words. */
export type Git = (args: readonly [string, ...string[]], options?: GitOptions) => Promise<Buffer>;

const TIMEOUT = 5_000;
/** How long git may take to remove its lock files after SIGTERM, in ms. */
const GRACE = 1_000;
const MAX_OUTPUT = 32 * 1024 * 1024;
const MAX_WORDS = 2_048;

/** No prompts, no helper protocols that run commands (`ext::`), and no connection that stalls for ever. */
const UNATTENDED = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
  GIT_HTTP_LOW_SPEED_LIMIT: '100',
  GIT_HTTP_LOW_SPEED_TIME: '10',
  GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=10',
  LC_ALL: 'C',
};

/** Variables by which a surrounding git, such as a hook's, would lead ours to its own repository. */
const FOREIGN =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX)$/;

/** Git on the bare repository in a directory. */
export function gitIn(directory: string): Git {
  return async (args, options = {}) => {
    const all = [`--git-dir=${directory}`, '-c', 'gc.autoDetach=false', ...args];
    const child = spawn('git', all, { detached: true, env: environment() });
    try {
      return await answer(child, options);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new Error(`git ${args[0]}: ${withoutCredentials(words)}`, { cause: error });
    }
  };
}

/** Takes user names and tokens out of the URLs in a text. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^/@\s]*@/g, '://');
}

function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  return { ...UNATTENDED, ...Object.fromEntries(own) };
}

/** What git writes until it ends; rejects when it fails, runs out of time or writes too much. */
async function answer(child: Child, { input = '', timeout = TIMEOUT, signal }: GitOptions): Promise<Buffer> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  let stopped: string | undefined;
  const stop = (reason: string): void => {
    stopped ??= reason;
    void end(child).then(() => reject(new Error(reason)));
  };
  const timer = setTimeout(() => stop(`no answer within ${timeout} ms`), timeout);
  const abort = (): void => stop('the server is stopping');
  signal?.addEventListener('abort', abort, { once: true });
  child.stdin.on('error', () => undefined).end(input);
  try {
    return await Promise.race([ended, finished(child, stop)]);
  } catch (error) {
    throw stopped === undefined ? error : new Error(stopped, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

function finished(child: Child, stop: (reason: string) => void): Promise<Buffer> {
  const output: Buffer[] = [];
  let size = 0;
  let words = '';
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_OUTPUT) output.push(chunk);
    else stop(`more than ${MAX_OUTPUT} bytes of output`);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    words = `${words}${chunk.toString()}`.slice(-MAX_WORDS);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0 && size <= MAX_OUTPUT) resolve(Buffer.concat(output));
      else reject(new Error(words.trim().replaceAll(/\s+/g, ' ') || `ended with ${code ?? signal}`));
    });
  });
}

/** Ends git and what it started (one process group): by SIGTERM, so that its lock files go, else by force. */
async function end(child: Child): Promise<void> {
  kill(child, 'SIGTERM');
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([ended, sleep(GRACE)]);
  if (child.exitCode === null && child.signalCode === null) kill(child, 'SIGKILL');
}

function kill({ pid }: Child, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // ESRCH: the group has ended meanwhile.
  }
}
