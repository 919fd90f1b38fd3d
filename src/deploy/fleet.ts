import { DeployError } from "../domain/errors.js";
import type { HostResult, Status } from "../domain/result.js";
import { Host } from "./host.js";
import { mapLimited } from "./limit.js";
import type { Plan } from "./plan.js";
import type { Machine, RunLog } from "./ports.js";
import { Stopwatch } from "./stopwatch.js";

/** How a run ended, as far as it came. */
export type FleetEnd = {
  readonly results: readonly HostResult[];
  /** The flake has arrived on at least one machine. */
  readonly arrived: boolean;
};

type Work = { readonly host: Host; readonly stopwatch: Stopwatch; result: HostResult | undefined };

/**
 * Deploys to all machines: everything up to the build side by side, then, when every machine has built or failed, the
 * activations. A host that fails does not stop the others. Never throws; `plan.flake` tells of a flake that cannot be had.
 */
export async function deployFleet(machines: readonly Machine[], plan: Plan, log: RunLog): Promise<FleetEnd> {
  const works: Work[] = machines.map((machine) => ({
    host: new Host(machine, plan, log.host(machine.target)),
    stopwatch: new Stopwatch(plan.timeout, plan.signal),
    result: undefined,
  }));
  const step = async (work: Work, act: (signal: AbortSignal) => Promise<Status | undefined>): Promise<void> => {
    const status = await attempt(work, act);
    if (status === undefined) return;
    await work.host.machine.release();
    work.result = status;
    log.done(status);
  };
  await mapLimited(works, plan.maxParallel, async (work) => {
    await step(work, async (signal) => {
      await work.host.prepare(signal);
      return work.host.settled();
    });
  });
  const built = works.filter((work) => work.result === undefined);
  await mapLimited(built, plan.maxParallel, async (work) => {
    await step(work, async (signal) => await work.host.activate(signal));
  });
  return { results: works.flatMap((work) => work.result ?? []), arrived: works.some((work) => work.host.arrived) };
}

/** One step of a host; what goes wrong in it becomes the host's result. */
async function attempt({ host, stopwatch }: Work, act: (signal: AbortSignal) => Promise<Status | undefined>): Promise<HostResult | undefined> {
  let status: Status | undefined;
  let problem: unknown;
  try {
    status = await stopwatch.run(act);
  } catch (error) {
    problem = error;
    status = "failed";
  }
  if (status === undefined) return undefined;
  return host.result(status, stopwatch.seconds, problem === undefined ? undefined : explain(problem, host, stopwatch));
}

function explain(problem: unknown, host: Host, stopwatch: Stopwatch): Error {
  if (problem instanceof DeployError) return problem;
  const afterwards = host.phase === "activate" ? "The activation goes on on the machine, and nobody watches it" : "Nothing has changed on the machine";
  const { phase } = host;
  if (stopwatch.expired)
    return new DeployError({ phase, reason: `the work on the machine took longer than the timeout of ${stopwatch.limit} s`, hint: afterwards, cause: problem });
  if (stopwatch.cancelled) return new DeployError({ phase, reason: "the run was cancelled", hint: afterwards, cause: problem });
  // An unexpected one is a fault of ours: its stack is what helps.
  return new Error(problem instanceof Error ? (problem.stack ?? problem.message) : String(problem), { cause: problem });
}
