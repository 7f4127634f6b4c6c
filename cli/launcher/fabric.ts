/** A fabric on this machine, from its data folder to its last process. */
import { lockData } from './data-lock.ts';
import { drawBlueprint, wantedPorts } from './blueprint.ts';
import type { Blueprint, FabricRequest as BlueprintRequest } from './blueprint.ts';
import { prepareData } from './data-folder.ts';
import type { FabricState } from './fabric-state.ts';
import { endLeftovers } from './leftovers.ts';
import { postgresProcess } from './postgres-process.ts';
import { browserWarning } from './ports.ts';
import { STOP_STAGES } from './processes.ts';
import type { PlannedProcess } from './processes.ts';
import { programProcess } from './program-process.ts';
import type { Progress } from './progress.ts';
import { removeReadyFile } from './ready-file.ts';
import { keepState } from './state-keeper.ts';
import type { ProcessSpec } from './supervised-process.ts';
import { Supervisor } from './supervisor.ts';

/** What is laid out, and the file that says where it is while it is ready. */
export type FabricRequest = BlueprintRequest & { readyFile?: string };

/** A fabric that is starting, running or stopping. */
export type Fabric = {
  blueprint: Blueprint;
  state: () => FabricState;
  /** Resolves when every process is ready; rejects with a CommandError when one cannot start. */
  start: () => Promise<void>;
  /** All of it has been healthy and is complete: `mercer status` may say so. */
  declareReady: () => Promise<void>;
  /** Stops in order, within 10 s. */
  stop: () => Promise<void>;
  /** Ends every process at once; `stop`, when it waits, then returns. */
  kill: () => Promise<void>;
};

/** Locks the data folder and prepares everything; disposing of the stack stops and unlocks. */
export async function openFabric(
  request: FabricRequest,
  progress: Progress,
  stack: AsyncDisposableStack,
): Promise<Fabric> {
  const { data } = request;
  await prepareData(data);
  stack.use(await lockData(data));
  // Not before the lock: the file may be that of a fabric that runs.
  await removeReadyFile(request.readyFile);
  const left = await endLeftovers(data);
  if (left > 0) progress.say(`Ended ${left} processes that an earlier fabric had left behind.`);
  const blueprint = await drawBlueprint(request);
  const warning = browserWarning(wantedPorts(blueprint.processes));
  if (warning !== undefined) progress.say(warning);
  return assemble(request, blueprint, { progress, stack });
}

function assemble(
  { data, offset, readyFile }: FabricRequest,
  blueprint: Blueprint,
  { progress, stack }: { progress: Progress; stack: AsyncDisposableStack },
): Fabric {
  const { processes, plan } = blueprint;
  let ready = false;
  const state = (): FabricState => ({
    launcher: process.pid,
    offset,
    ready,
    processes: processes.map((each) => entryOf(each, supervisor)),
    endpoints: plan.endpoints,
    ...(runsIdentityProvider(processes) ? { developerSecret: plan.secrets.developer } : {}),
  });
  const supervisor = new Supervisor(
    processes.map((each) => specOf(each, blueprint)),
    (changed, ending) => {
      progress.observe(changed, ending);
      keeper.touch();
    },
  );
  const keeper = keepState(data, state);
  stack.defer(() => keeper.close());
  const stop = async (): Promise<void> => {
    try {
      await removeReadyFile(readyFile);
    } finally {
      await supervisor.stop(STOP_STAGES);
    }
  };
  stack.defer(stop);
  return {
    blueprint,
    state,
    start: () => {
      progress.begin(supervisor.processes);
      return supervisor.start();
    },
    declareReady: () => {
      ready = true;
      keeper.touch();
      return keeper.written();
    },
    stop,
    kill: () => supervisor.kill(),
  };
}

function specOf(planned: PlannedProcess, { plan }: Blueprint): ProcessSpec {
  return planned.program.service === 'postgres'
    ? postgresProcess(planned, plan)
    : programProcess(planned, plan);
}

function entryOf(
  { name, program, ports }: PlannedProcess,
  supervisor: Supervisor,
): FabricState['processes'][number] {
  const pid = supervisor.processes.find(({ spec }) => spec.name === name)?.pid;
  return { name, service: program.service, ...(pid === undefined ? {} : { pid }), ports };
}

function runsIdentityProvider(processes: readonly PlannedProcess[]): boolean {
  return processes.some(({ program }) => program.service === 'idp');
}
