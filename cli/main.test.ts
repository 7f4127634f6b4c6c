/** Tries the command line as a shell sees it: words, exit codes, one line for each error. */
import { equal, match } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from './root.ts';

const data = await mkdtemp(join(tmpdir(), 'mercer-words-'));
after(() => rm(data, { recursive: true, force: true }));

type Answer = { code: number; stdout: string; stderr: string };

function mercer(...words: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'cli/main.ts'), ...words], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test('help lists the words and the exit codes', async () => {
  const { code, stdout } = await mercer('--help');
  equal(code, 0);
  for (const word of [
    'up',
    'down',
    'status',
    'restart',
    'logs',
    'token',
    'cert',
    'demo',
    'audit',
    'Exit codes: 0',
  ])
    match(stdout, new RegExp(`\\b${word}\\b`));
});

test('each word has a help of its own', async () => {
  const { code, stdout } = await mercer('up', '--help');
  equal(code, 0);
  match(stdout, /--data <dir>[^]*--replicas <list>[^]*Exit codes/);
});

test('wrong usage is one line and exit code 2', async () => {
  const wrong = [
    ['upp'],
    ['up', '--offset', 'ten'],
    ['up', '--replicas', 'gateway=2'],
    ['up', '--replicas', 'order=0'],
    ['up', '--workers', '4'],
    ['up', '--only', 'shop'],
    ['up', '--seed', 'some'],
    ['up', '--data', data, '--set', 'log.levle=debug'],
    ['token', '--role', 'KING'],
    ['token', '--ttl', 'soon'],
    ['cert', 'alice'],
    ['cert'],
    ['status', '--yaml'],
  ];
  for (const answer of await Promise.all(wrong.map((words) => mercer(...words)))) {
    equal(answer.code, 2, answer.stderr);
    match(answer.stderr, /^mercer: [^\n]+\n$/);
    equal(answer.stdout, '');
  }
});

test('a refusal says what was meant', async () => {
  match((await mercer('up', '--replicas', 'product')).stderr, /such as product=2\./);
  match((await mercer('up', '--seed', 'banana')).stderr, /demo, none, or a number/);
  for (const word of ['bench', 'chaos']) {
    const { code, stdout, stderr } = await mercer(word, '--help');
    equal(stderr, `mercer: unknown command '${word}' (see --help)\n`);
    equal(stdout, '');
    equal(code, 2);
  }
});

test('words about a fabric that does not run say so and exit 1', async () => {
  for (const words of [['status'], ['restart', 'order'], ['token'], ['status', '--json'], ['audit']]) {
    const { code, stderr } = await mercer(...words, '--data', data);
    equal(code, 1);
    match(stderr, /^mercer: no fabric runs on [^\n]+\n$/);
  }
});

test('there is nothing to stop, no log and no authority before the first start', async () => {
  equal((await mercer('down', '--data', data)).stdout, 'No fabric runs.\n');
  match((await mercer('logs', '--data', data)).stderr, /there are no logs/);
  match((await mercer('cert', 'dev/alice', '--data', data)).stderr, /holds no authority yet/);
});
