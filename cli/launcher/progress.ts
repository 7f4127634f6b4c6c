/** Shows a fabric starting: a live line per process on a terminal, a line per event elsewhere. */
import { duration, paint } from '../terminal.ts';
import type { Look } from '../terminal.ts';
import type { Ending, ProcessState, SupervisedProcess } from './supervised-process.ts';

/** Lines about processes, from the first start to the last stop. */
export type Progress = {
  /** Shows these processes from now on. */
  begin: (processes: readonly SupervisedProcess[]) => void;
  /** Hears what happened to one of them. */
  observe: (process: SupervisedProcess, ending?: Ending) => void;
  /** Prints a line of its own. */
  say: (line: string) => void;
  /** Leaves the live lines as they are; what follows is a line per event. */
  settle: () => void;
};

const SIGNS: Record<ProcessState, { sign: string; look: Look }> = {
  waiting: { sign: '·', look: 'dim' },
  starting: { sign: '◌', look: 'yellow' },
  ready: { sign: '✓', look: 'green' },
  down: { sign: '✗', look: 'red' },
  stopped: { sign: '·', look: 'dim' },
};
const NAME_WIDTH = 12;
/** Between two counts of the seconds, in ms. */
const TICK = 200;
/** Failures in a row after which a line says where the log is. */
const REPEATED = 3;

/** Progress on a stream; live only when it is a terminal. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  let live: readonly SupervisedProcess[] = [];
  let painted = 0;
  let timer: NodeJS.Timeout | undefined;
  const erase = (): void => {
    if (painted > 0) stream.write(`\u001b[${painted}A\u001b[J`);
    painted = 0;
  };
  const repaint = (): void => {
    erase();
    stream.write(live.map((process) => `${stateLine(process, stream)}\n`).join(''));
    painted = live.length;
  };
  const say = (line: string): void => {
    erase();
    stream.write(`${line}\n`);
    if (timer !== undefined) repaint();
  };
  return {
    begin: (processes) => {
      if (!stream.isTTY) return;
      live = processes;
      timer = setInterval(repaint, TICK);
      timer.unref();
    },
    observe: (process, ending) => {
      if (ending !== undefined) say(endingLine(process, ending, stream));
      else if (timer === undefined && process.state === 'ready') say(readyLine(process, stream));
    },
    say,
    settle: () => {
      if (timer === undefined) return;
      repaint();
      clearInterval(timer);
      timer = undefined;
      painted = 0;
    },
  };
}

function stateLine(process: SupervisedProcess, stream: NodeJS.WriteStream): string {
  const { sign, look } = SIGNS[process.state];
  const seconds = process.startSeconds === undefined ? '' : `${process.startSeconds.toFixed(1)} s`;
  const text = `${process.spec.name.padEnd(NAME_WIDTH)} ${process.state.padEnd(9)}`;
  return `  ${paint(look, sign, stream)} ${text}${paint('dim', seconds.padStart(7), stream)}`;
}

function readyLine(process: SupervisedProcess, stream: NodeJS.WriteStream): string {
  const took = `started in ${duration((process.startSeconds ?? 0) * 1_000)}`;
  return `${paint('green', 'ready', stream)}  ${process.spec.name.padEnd(NAME_WIDTH)} ${paint('dim', took, stream)}`;
}

/** One line for each end: what happened, what comes next, and after repeated failures where to look. */
export function endingLine(process: SupervisedProcess, ending: Ending, stream: NodeJS.WriteStream): string {
  const { name, logFile } = process.spec;
  if (ending.asked) return `${paint('yellow', 'left', stream)}   ${name} ended as asked; starting it again`;
  const how = `${name} ${wayOut(ending)}; starting it again in ${duration(ending.wait)}`;
  const where = ending.failures >= REPEATED ? ` (failure ${ending.failures} in a row, log: ${logFile})` : '';
  return `${paint('red', 'down', stream)}   ${how}${where}`;
}

function wayOut({ exit, error }: Ending): string {
  if (exit === undefined)
    return `could not be started (${error instanceof Error ? error.message : 'unknown'})`;
  if (exit.signal !== null) return `was ended by ${exit.signal}`;
  return exit.code === null ? 'ended' : `ended with exit code ${exit.code}`;
}
