import { DeployError } from "../domain/errors.js";
import type { HostResult } from "../domain/result.js";
import { Host } from "./host.js";
import { mapLimited } from "./limit.js";
import type { RunSettings } from "./run-settings.js";
import type { Machine, RunLog } from "./ports.js";
import type { Outcome } from "./safe-activation.js";
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
 * activations. A host that fails does not stop the others. Never throws; `settings.flake` tells of a flake that cannot be had.
 */
export async function deployFleet(machines: readonly Machine[], settings: RunSettings, log: RunLog): Promise<FleetEnd> {
  const works: Work[] = machines.map((machine) => ({
    host: new Host(machine, settings, log.host(machine.target)),
    stopwatch: new Stopwatch(settings.timeout, settings.signal),
    result: undefined,
  }));
  const step = async (work: Work, act: (signal: AbortSignal) => Promise<Outcome | undefined>): Promise<void> => {
    const status = await attempt(work, act);
    if (status === undefined) return;
    await work.host.machine.release();
    work.result = status;
    log.done(status);
  };
  await mapLimited(works, settings.maxParallel, async (work) => {
    await step(work, async (signal) => {
      await work.host.prepare(signal);
      const status = work.host.settled();
      return status === undefined ? undefined : { status, error: undefined };
    });
  });
  const built = works.filter((work) => work.result === undefined);
  await mapLimited(built, settings.maxParallel, async (work) => {
    await step(work, async (signal) => await work.host.activate(signal));
  });
  return { results: works.flatMap((work) => work.result ?? []), arrived: works.some((work) => work.host.arrived) };
}

/** One step of a host; what goes wrong in it becomes the host's result. */
async function attempt({ host, stopwatch }: Work, act: (signal: AbortSignal) => Promise<Outcome | undefined>): Promise<HostResult | undefined> {
  try {
    const outcome = await stopwatch.run(act);
    return outcome === undefined ? undefined : host.result(outcome.status, stopwatch.seconds, outcome.error);
  } catch (error) {
    const explained = explain(error, host, stopwatch);
    return host.result(host.undecided ? "unknown" : "failed", stopwatch.seconds, explained);
  }
}

function explain(problem: unknown, host: Host, stopwatch: Stopwatch): Error {
  const { phase, prospect: afterwards } = host;
  if (problem instanceof DeployError) {
    if (!host.undecided) return problem;
    const { reason, lines, exitCode, unreachable, cause, hint } = problem;
    return new DeployError({ phase, reason, hint: hint === undefined ? afterwards : `${hint}. ${afterwards}`, lines, exitCode, unreachable, cause });
  }
  if (stopwatch.expired)
    return new DeployError({ phase, reason: `the work on the machine took longer than the timeout of ${stopwatch.limit} s`, hint: afterwards, cause: problem });
  if (stopwatch.cancelled) return new DeployError({ phase, reason: "the run was cancelled", hint: afterwards, cause: problem });
  // An unexpected one is a fault of ours: its stack is what helps.
  return new Error(problem instanceof Error ? (problem.stack ?? problem.message) : String(problem), { cause: problem });
}
