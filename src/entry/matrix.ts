import { unusableResult } from "../domain/inventory.js";
import { readInput } from "../github/action-input.js";
import { annotationsOfStep, jobsOfMatrix } from "../github/limits.js";
import { renderMatrix } from "../github/matrix-outputs.js";
import type { WorkflowLog } from "../github/workflow-log.js";
import { parseMatrixInputs } from "../inputs/matrix.js";
import { machinesOfMatrix } from "../machines/of-matrix.js";
import { failureAnnotations } from "../report/annotations.js";
import { runCompanion, type Found } from "./companion.js";
import { matrixPorts } from "./matrix-ports.js";

/** Plans the jobs of a matrix as the inputs say. Returns the exit code. */
export async function run(): Promise<number> {
  return await runCompanion({ work: plan, nothing: renderMatrix([], undefined), onCancelled: "No job was planned." });
}

async function plan(log: WorkflowLog, cancelled: AbortSignal): Promise<Found> {
  const inputs = parseMatrixInputs(readInput, jobsOfMatrix);
  const { machines, total, unusable } = await machinesOfMatrix(inputs, matrixPorts(inputs.flake, log, cancelled));
  const outputs = renderMatrix(machines, inputs.shards);
  log.line(`${machines.length} of ${total} hosts: ${machines.map(({ name }) => name).join(", ")}`);
  log.annotateAll("error", failureAnnotations(unusable.map(unusableResult), annotationsOfStep, log.linkTo));
  return { outputs, isComplete: unusable.length === 0 };
}
