import { appendFileSync } from "node:fs";

import { CommandError, InputError, RunnerError } from "../domain/errors.js";
import { newestReference, type Flake } from "../domain/flake.js";
import { isFailure, type HostResult } from "../domain/result.js";
import { failureAnnotations, failureSummary } from "./annotations.js";
import { setOutputs, statusOf } from "./outputs.js";
import { renderSummary } from "./summary.js";
import type { WorkflowLog } from "./workflow-log.js";

/** Tells what ended the run before the machines did. What is none of the action's own errors is shown with its stack. */
export function reportProblem(problem: unknown, log: WorkflowLog): void {
  if (problem instanceof InputError || problem instanceof RunnerError) log.annotate("error", "The deployment cannot begin", problem.message);
  else if (problem instanceof CommandError) {
    log.annotate(
      "error",
      "A command on the runner failed; no machine was changed",
      [problem.message, ...problem.stderr.trim().split("\n").slice(-20)].join("\n"),
    );
  } else log.annotate("error", "A fault in nix-flake-deploy", problem instanceof Error ? (problem.stack ?? problem.message) : String(problem));
}

/** What the end of a run is made of. */
export type RunEnd = {
  readonly results: readonly HostResult[];
  readonly arrived: boolean;
  readonly flake: Flake | undefined;
  /** What the machines build, where that is a flake around the other one. */
  readonly built?: Flake | undefined;
  readonly endedEarly: boolean;
};

/** Sets the outputs, writes the job summary, annotates every failed host, and tells whether the step is green. */
export function reportEnd({ results, arrived, flake, built = flake, endedEarly }: RunEnd, log: WorkflowLog): boolean {
  log.resume();
  setOutputs({
    results,
    status: statusOf(results, endedEarly),
    storePath: arrived ? flake?.source : undefined,
    flakeReference: built === undefined ? undefined : newestReference(built),
  });
  writeSummary(renderSummary(results, flake, { endedEarly }), log);
  // A run that ended early has told its reason already; its hosts only ended with it.
  if (!endedEarly) for (const { title, message } of failureAnnotations(results)) log.annotate("error", title, message);
  const failed = results.some((result) => isFailure(result.status));
  if (failed) log.line(failureSummary(results));
  log.resume();
  return !failed && !endedEarly;
}

/** Appends to the job summary. Synchronous, as the process ends right after; a summary that cannot be written fails nothing. */
function writeSummary(text: string, log: WorkflowLog): void {
  const file = process.env["GITHUB_STEP_SUMMARY"];
  if (file === undefined || file === "") return;
  try {
    appendFileSync(file, text);
  } catch (error) {
    log.annotate("warning", "The job summary could not be written", error instanceof Error ? error.message : String(error));
  }
}
