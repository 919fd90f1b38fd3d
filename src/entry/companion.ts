import { runCancellable } from "../github/cancellation.js";
import { setMachineOutputs, type MachineOutputs } from "../github/machine-outputs.js";
import { WorkflowLog } from "../github/workflow-log.js";
import { problemAnnotation } from "../report/problem.js";

/** What a companion action has found, and whether every machine that was chosen is in it. */
export type Found = { readonly outputs: MachineOutputs; readonly isComplete: boolean };

/** A companion action: its work, and what it says of itself where that ends early. */
export type Companion = {
  readonly work: (log: WorkflowLog, cancelled: AbortSignal) => Promise<Found>;
  /** The outputs where it has found nothing. */
  readonly nothing: MachineOutputs;
  readonly onCancelled: string;
};

/** Runs a companion action, which has no key and needs no post step. Its outputs are always set. Returns the exit code. */
export async function runCompanion(companion: Companion): Promise<number> {
  const log = new WorkflowLog();
  return await runCancellable(async (cancelled) => ((await workAndReport(companion, log, cancelled)) ? 0 : 1), {
    onFirst: (signal) => log.annotate("warning", `Cancelled by ${signal}`, companion.onCancelled),
    onSecond: async () => await Promise.resolve(),
  });
}

async function workAndReport({ work, nothing }: Companion, log: WorkflowLog, cancelled: AbortSignal): Promise<boolean> {
  let found: Found = { outputs: nothing, isComplete: false };
  try {
    found = await work(log, cancelled);
  } catch (error) {
    if (!cancelled.aborted) log.annotateAll("error", [problemAnnotation(error, log.linkTo)]);
  }
  log.resume();
  setMachineOutputs(found.outputs);
  await log.written();
  return found.isComplete;
}
