import { unusableResult } from "../domain/inventory.js";
import { readInput } from "../github/action-input.js";
import { runCancellable } from "../github/cancellation.js";
import { annotationsOfStep, jobsOfMatrix } from "../github/limits.js";
import { renderMatrix, setMatrixOutputs, type MatrixOutputs } from "../github/matrix-outputs.js";
import { WorkflowLog } from "../github/workflow-log.js";
import { parseMatrixInputs } from "../inputs/matrix.js";
import { machinesOfMatrix } from "../machines/of-matrix.js";
import { failureAnnotations } from "../report/annotations.js";
import { problemAnnotation } from "../report/problem.js";
import { matrixPorts } from "./matrix-ports.js";

/** The jobs, and whether every machine that was chosen has one. */
type Plan = { readonly outputs: MatrixOutputs; readonly isComplete: boolean };

/** Plans the jobs of a matrix as the inputs say. Returns the exit code. */
export async function run(): Promise<number> {
  const log = new WorkflowLog();
  return await runCancellable(async (cancelled) => ((await planAndReport(log, cancelled)) ? 0 : 1), {
    onFirst: (signal) => log.annotate("warning", `Cancelled by ${signal}`, "No job was planned."),
    onSecond: async () => await Promise.resolve(),
  });
}

async function planAndReport(log: WorkflowLog, cancelled: AbortSignal): Promise<boolean> {
  let planned: Plan = { outputs: renderMatrix([], undefined), isComplete: false };
  try {
    planned = await plan(log, cancelled);
  } catch (error) {
    if (!cancelled.aborted) log.annotateAll("error", [problemAnnotation(error, log.linkTo)]);
  }
  log.resume();
  setMatrixOutputs(planned.outputs);
  await log.written();
  return planned.isComplete;
}

async function plan(log: WorkflowLog, cancelled: AbortSignal): Promise<Plan> {
  const inputs = parseMatrixInputs(readInput, jobsOfMatrix);
  const { machines, total, unusable } = await machinesOfMatrix(inputs, matrixPorts(inputs.flake, log, cancelled));
  const outputs = renderMatrix(machines, inputs.shards);
  log.line(`${machines.length} of ${total} hosts: ${machines.map(({ name }) => name).join(", ")}`);
  log.annotateAll("error", failureAnnotations(unusable.map(unusableResult), annotationsOfStep, log.linkTo));
  return { outputs, isComplete: unusable.length === 0 };
}
