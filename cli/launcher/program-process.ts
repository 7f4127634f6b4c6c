/** How one of Mercer's own programs is started and asked whether it is ready. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../root.ts';
import { isHealthy, readinessUrl } from './health.ts';
import { logFileOf, rotate } from './log-files.ts';
import type { PlannedProcess, Program } from './processes.ts';
import { startProgram } from './running-process.ts';
import type { ProcessSpec } from './supervised-process.ts';
import { environmentOf } from './wiring.ts';
import type { FabricPlan } from './wiring.ts';

/** The process as the supervisor wants it: main file, environment, log and readiness. */
export function programProcess(planned: PlannedProcess, plan: FabricPlan): ProcessSpec {
  const { name, program, needs, ports } = planned;
  const logFile = logFileOf(plan.endpoints.logs, name);
  const start = async (): ReturnType<ProcessSpec['start']> => {
    await mkdir(join(plan.data, 'processes', name), { recursive: true, mode: 0o700 });
    await rotate(logFile);
    return startProgram({
      file: process.execPath,
      args: [memoryFlag(program), join(ROOT, program.main ?? '')],
      environment: environmentOf(planned, plan),
      directory: ROOT,
      logFile,
    });
  };
  const url = readinessUrl(ports);
  return {
    name,
    service: program.service,
    needs,
    logFile,
    start,
    isReady: (signal) => isHealthy(url, signal),
  };
}

/**
 * Half of V8's young generation (in MB) lets a dozen processes share one machine: it grows while a process starts
 * and never shrinks, which made up a sixth of all memory. Stand-ins, which nobody measures, get by with less.
 */
function memoryFlag({ standIn }: Program): string {
  return `--max-semi-space-size=${standIn === true ? 2 : 8}`;
}
