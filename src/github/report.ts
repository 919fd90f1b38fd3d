import { randomBytes } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CommandError, EvaluationError, InputError, RunnerError } from "../domain/errors.js";
import { flakeReference, outerReference, type Flake, type SentFlake } from "../domain/flake.js";
import { isFailure, type HostResult } from "../domain/result.js";
import { failureAnnotations, failureSummary, skippedAnnotations } from "./annotations.js";
import { setOutputs, statusOf } from "./outputs.js";
import { comment, jobSummary, renderSummary } from "./summary/page.js";
import type { WorkflowLog } from "./workflow-log.js";

// Of a command line with an expression in it, the beginning says which command it is.
const longestCommand = 300;

/** Tells what ended the run before the machines did. What is none of the action's own errors is shown with its stack. */
export function reportProblem(problem: unknown, log: WorkflowLog): void {
  if (problem instanceof InputError || problem instanceof RunnerError) log.annotate("error", "The deployment cannot begin", problem.message);
  else if (problem instanceof EvaluationError) log.annotate("error", "The flake does not evaluate; no machine was changed", problem.message);
  else if (problem instanceof CommandError) {
    log.annotate(
      "error",
      "A command on the runner failed; no machine was changed",
      [problem.message.slice(0, longestCommand), ...problem.stderr.trim().split("\n").slice(-20)].join("\n"),
    );
  } else log.annotate("error", "A fault in nix-flake-deploy", problem instanceof Error ? (problem.stack ?? problem.message) : String(problem));
}

/** What the end of a run is made of. */
export type RunEnd = {
  readonly results: readonly HostResult[];
  readonly arrived: boolean;
  readonly flake: Flake | undefined;
  /** The form in which it was sent, once that is known. */
  readonly sent?: SentFlake | undefined;
  readonly endedEarly: boolean;
  /** Why it ended early, in one line without a full stop at the end. */
  readonly reason?: string | undefined;
  /** Show the summary on the page of the run. */
  readonly summary: boolean;
};

/** Sets the outputs, writes the summary, annotates every failed host, and tells whether the step is green. */
export function reportEnd({ results, arrived, flake, sent, endedEarly, reason, summary }: RunEnd, log: WorkflowLog): boolean {
  log.resume();
  const summaryPath = writeComment(renderSummary(results, flake, { endedEarly, reason, place: comment }), log);
  setOutputs({
    results,
    status: statusOf(results, endedEarly),
    storePath: arrived ? flake?.source : undefined,
    flakeReference: referenceFor(flake, sent),
    summaryPath,
  });
  if (summary) writeSummary(renderSummary(results, flake, { endedEarly, reason, place: jobSummary }), log);
  // A run that ended early has annotated its reason already; its hosts only ended with it.
  if (endedEarly) log.line(`The run ended early${reason === undefined ? "" : `: ${reason}`}`);
  else annotateHosts(results, log);
  const failed = results.some((result) => isFailure(result.status));
  if (failed) log.line(failureSummary(results));
  log.resume();
  return !failed && !endedEarly;
}

/** The reference for use by hand: only the outer flake has the machines of a hive where nixos-rebuild looks for them. */
function referenceFor(flake: Flake | undefined, sent: SentFlake | undefined): string | undefined {
  if (sent?.hive === true) return outerReference(sent);
  return flake === undefined ? undefined : flakeReference(flake);
}

function annotateHosts(results: readonly HostResult[], log: WorkflowLog): void {
  for (const { title, message } of failureAnnotations(results)) log.annotate("error", title, message);
  for (const { title, message } of skippedAnnotations(results)) log.annotate("warning", title, message);
}

/** Writes the summary into a file that outlives the step: the runner clears its directory after the job. Returns its path. */
function writeComment(text: string, log: WorkflowLog): string | undefined {
  const file = join(process.env["RUNNER_TEMP"] || tmpdir(), `nix-flake-deploy-summary-${randomBytes(6).toString("hex")}.md`);
  try {
    writeFileSync(file, text, { flag: "wx" });
    return file;
  } catch (error) {
    log.annotate("warning", "The file of the summary could not be written", error instanceof Error ? error.message : String(error));
    return undefined;
  }
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
