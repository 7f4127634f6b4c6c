/** Tries the supervisor on tiny real processes. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { CommandError } from '../command-error.ts';
import { isAlive, startProgram } from './running-process.ts';
import type { Ending, ProcessSpec, SupervisedProcess } from './supervised-process.ts';
import { Supervisor } from './supervisor.ts';

const directory = await mkdtemp(join(tmpdir(), 'mercer-supervisor-'));
after(() => rm(directory, { recursive: true, force: true }));

/** Leaves in order on SIGTERM and says so in the journal. */
const ORDERLY = `process.on('SIGTERM', () => { note('stop'); process.exit(0); }); setInterval(() => {}, 1000); note('start');`;
/** Does not care for SIGTERM. */
const STUBBORN = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); note('start');`;

let journals = 0;

/** A journal file, and a maker of processes that write into it. */
function workshop(): {
  journal: string;
  spec: (name: string, body: string, needs?: string[]) => ProcessSpec;
} {
  const journal = join(directory, `journal-${(journals += 1)}`);
  const spec = (name: string, body: string, needs: string[] = []): ProcessSpec => ({
    name,
    service: name,
    needs,
    logFile: join(directory, `${name}.log`),
    start: () =>
      startProgram({
        file: process.execPath,
        args: [
          '-e',
          `const note = (w) => fs.appendFileSync(${JSON.stringify(journal)}, w + ' ${name}\\n');${body}`,
        ],
        environment: {},
        directory,
        logFile: join(directory, `${name}.log`),
      }),
    isReady: async () => (await lines(journal)).includes(`start ${name}`),
  });
  return { journal, spec };
}

async function lines(journal: string): Promise<string[]> {
  const text = await readFile(journal, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

function supervise(
  t: TestContext,
  specs: ProcessSpec[],
  observe?: (p: SupervisedProcess, e?: Ending) => void,
): Supervisor {
  const supervisor = new Supervisor(specs, observe);
  t.after(() => supervisor.kill());
  return supervisor;
}

async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await check()) return;
    await sleep(100);
  }
  throw new Error('it did not happen within 10 s');
}

test('a process starts only when what it needs is ready', async (t) => {
  const { journal, spec } = workshop();
  const late = `setTimeout(() => { ${ORDERLY} }, 300);`;
  await supervise(t, [spec('shop', ORDERLY, ['ground']), spec('ground', late)]).start();
  deepEqual(await lines(journal), ['start ground', 'start shop']);
});

test('a stop goes through its stages in order and leaves no process', async (t) => {
  const { journal, spec } = workshop();
  const supervisor = supervise(t, [spec('ground', ORDERLY), spec('shop', ORDERLY), spec('door', ORDERLY)]);
  await supervisor.start();
  const pids = supervisor.processes.map(({ pid }) => pid ?? 0);
  await supervisor.stop([
    { services: ['door'], by: 2_000 },
    { services: ['shop'], by: 3_000 },
    { services: ['ground'], by: 4_000 },
  ]);
  deepEqual((await lines(journal)).slice(3), ['stop door', 'stop shop', 'stop ground']);
  deepEqual(pids.filter(isAlive), []);
});

test('a process that does not stop is killed when its stage is over', async (t) => {
  const { spec } = workshop();
  const supervisor = supervise(t, [spec('mule', STUBBORN)]);
  await supervisor.start();
  const [pid = 0] = supervisor.processes.map((each) => each.pid);
  await supervisor.stop([{ services: ['mule'], by: 200 }]);
  equal(isAlive(pid), false);
});

test('a kill cuts a stop short', async (t) => {
  const { spec } = workshop();
  const supervisor = supervise(t, [spec('mule', STUBBORN)]);
  await supervisor.start();
  const began = Date.now();
  const stopped = supervisor.stop([{ services: ['mule'], by: 60_000 }]);
  await supervisor.kill();
  await stopped;
  ok(Date.now() - began < 10_000);
});

test('a crash is told once and followed by a new start after a wait', async (t) => {
  const { journal, spec } = workshop();
  const endings: Ending[] = [];
  const supervisor = supervise(t, [spec('shop', ORDERLY)], (_, ending) => {
    if (ending !== undefined) endings.push(ending);
  });
  await supervisor.start();
  const [pid = 0] = supervisor.processes.map((each) => each.pid);
  process.kill(pid, 'SIGKILL');
  await eventually(async () => (await lines(journal)).length === 2);
  equal(endings.length, 1);
  deepEqual(endings[0], {
    exit: { code: null, signal: 'SIGKILL' },
    error: undefined,
    asked: false,
    failures: 1,
    wait: 500,
  });
});

test('a process that was asked to leave comes back at once', async (t) => {
  const { journal, spec } = workshop();
  const endings: Ending[] = [];
  const supervisor = supervise(t, [spec('shop', ORDERLY)], (_, ending) => {
    if (ending !== undefined) endings.push(ending);
  });
  await supervisor.start();
  const [pid = 0] = supervisor.processes.map((each) => each.pid);
  process.kill(pid, 'SIGTERM');
  await eventually(async () => (await lines(journal)).length === 3);
  deepEqual(
    endings.map(({ asked, wait }) => ({ asked, wait })),
    [{ asked: true, wait: 0 }],
  );
});

test('three failures in a row give the start up, with the last words of the log', async (t) => {
  const { spec } = workshop();
  const supervisor = supervise(t, [spec('wreck', `console.error('Error: no keel'); process.exit(3);`)]);
  await rejects(supervisor.start(), (error) => {
    ok(error instanceof CommandError);
    equal(error.exitCode, 1);
    match(error.message, /^wreck did not start: Error: no keel \(log: .*wreck\.log\)$/);
    return true;
  });
});

test('refused settings give the start up at once, with exit code 78', async (t) => {
  const { spec } = workshop();
  const refusal = JSON.stringify({ level: 'fatal', msg: 'log.level must be one of ...' });
  const supervisor = supervise(t, [
    spec('picky', `console.log(${JSON.stringify(refusal)}); process.exit(78);`),
  ]);
  await rejects(supervisor.start(), { exitCode: 78, message: /log\.level must be one of/ });
});

test('a program that is not there is a failed start', async (t) => {
  const { spec } = workshop();
  const start = (): Promise<never> => Promise.reject(new Error('no such program'));
  const supervisor = supervise(t, [{ ...spec('ghost', ''), start }]);
  await rejects(supervisor.start(), /ghost did not start: no such program/);
});

test('a stop while starting rejects the start and starts nothing further', async (t) => {
  const { journal, spec } = workshop();
  const supervisor = supervise(t, [
    spec('ground', STUBBORN.replace('note', 'void')),
    spec('shop', ORDERLY, ['ground']),
  ]);
  const started = rejects(supervisor.start(), { exitCode: 130 });
  await eventually(() => supervisor.processes[0]?.pid !== undefined);
  await supervisor.stop([
    { services: ['shop'], by: 100 },
    { services: ['ground'], by: 200 },
  ]);
  await started;
  await appendFile(journal, 'start ground\n');
  await sleep(300);
  deepEqual(await lines(journal), ['start ground']);
});
