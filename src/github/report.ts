import { randomBytes } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { messageOf } from "../domain/errors.js";
import { flakeReference, outerReference, type Flake, type SentFlake } from "../domain/flake.js";
import { isFailure, type HostResult } from "../domain/result.js";
import { failureAnnotations, failureSummary, skippedAnnotations } from "../report/annotations.js";
import { annotationsOfStep, comment, jobSummary } from "./limits.js";
import { setOutputs, statusOf } from "./outputs.js";
import { runnerTemp } from "./runner-temp.js";
import { renderSummary } from "../report/summary/page.js";
import type { WorkflowLog } from "./workflow-log.js";

/** The end of a run. */
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

/**
 * Sets the outputs, annotates every failed host, writes the summary, and returns whether the step is green. A channel that cannot be
 * written does not stop the others; without outputs the step is not green.
 */
export function reportEnd({ results, arrived, flake, sent, endedEarly, reason, summary }: RunEnd, log: WorkflowLog): boolean {
  log.resume();
  const summaryPath = writeComment(() => renderSummary(results, flake, { endedEarly, reason, place: comment, linkTo: log.linkTo }), log);
  const outputsAreSet = setAllOutputs(
    {
      results,
      status: statusOf(results, endedEarly),
      storePath: arrived ? flake?.source : undefined,
      flakeReference: referenceFor(flake, sent),
      summaryPath,
    },
    log,
  );
  // A run that ended early has annotated its reason already, which is also that of its hosts.
  if (endedEarly) log.line(`The run ended early${reason === undefined ? "" : `: ${reason}`}`);
  else annotateHosts(results, log);
  const failed = results.some((result) => isFailure(result.status));
  if (failed) log.line(failureSummary(results));
  if (summary) writeSummary(() => renderSummary(results, flake, { endedEarly, reason, place: jobSummary, linkTo: log.linkTo }), log);
  log.resume();
  return !failed && !endedEarly && outputsAreSet;
}

/** The reference for use by hand: only the outer flake has the machines of a hive where nixos-rebuild looks for them. */
function referenceFor(flake: Flake | undefined, sent: SentFlake | undefined): string | undefined {
  if (sent?.hive === true) return outerReference(sent);
  return flake === undefined ? undefined : flakeReference(flake);
}

function annotateHosts(results: readonly HostResult[], log: WorkflowLog): void {
  log.annotateAll("error", failureAnnotations(results, annotationsOfStep, log.linkTo));
  log.annotateAll("warning", skippedAnnotations(results, log.linkTo));
}

function setAllOutputs(report: Parameters<typeof setOutputs>[0], log: WorkflowLog): boolean {
  try {
    setOutputs(report);
    return true;
  } catch (error) {
    log.annotate("error", "The outputs could not be set", `Some or all of them are missing in later steps: ${messageOf(error)}`);
    return false;
  }
}

/** Writes the summary into a file that outlives the step: the runner clears its directory after the job. Returns its path. */
function writeComment(render: () => string, log: WorkflowLog): string | undefined {
  const file = join(runnerTemp(), `nix-flake-deploy-summary-${randomBytes(6).toString("hex")}.md`);
  try {
    writeFileSync(file, render(), { flag: "wx" });
    return file;
  } catch (error) {
    log.annotate("warning", "The summary file could not be written", messageOf(error));
    return undefined;
  }
}

/** Appends to the job summary. Synchronous, as the process ends right after; a summary that cannot be written fails nothing. */
function writeSummary(render: () => string, log: WorkflowLog): void {
  const file = process.env["GITHUB_STEP_SUMMARY"];
  if (file === undefined || file === "") return;
  try {
    appendFileSync(file, render());
  } catch (error) {
    log.annotate("warning", "The job summary could not be written", messageOf(error));
  }
}
