import * as core from "@actions/core";

import { renderFailure } from "../domain/failure.js";
import { charactersOfOutputs } from "./limits.js";
import { isFailure, worstStatus, type HostResult, type Status } from "../domain/result.js";

/** What the outputs of a run are made of. */
export type Report = {
  readonly results: readonly HostResult[];
  /** `failed` where the run ended before any machine was worked on. */
  readonly status: Status;
  /** Set only once the flake has arrived on a machine. */
  readonly storePath: string | undefined;
  readonly flakeReference: string | undefined;
  /** File that holds the summary. */
  readonly summaryPath: string | undefined;
};

// The other outputs get the other half.
const longestResults = charactersOfOutputs / 2;

/** Renders every output of the action, by its name in `action.yml`; an output without a value is empty. */
export function renderOutputs({ results, status, storePath, flakeReference, summaryPath }: Report): Record<string, string> {
  const only = results.length === 1 ? results[0] : undefined;
  return {
    "store-path": storePath ?? "",
    "flake-ref": flakeReference ?? "",
    status,
    results: renderResults(results),
    changed: String(results.some((result) => result.changed)),
    deployed: String(results.filter((result) => result.status === "deployed").length),
    failed: String(results.filter((result) => isFailure(result.status)).length),
    "summary-path": summaryPath ?? "",
    "system-path": only?.systemPath ?? "",
    "previous-system-path": only?.previousSystemPath ?? "",
    "exit-code": only?.exitCode?.toString() ?? "",
  };
}

/** The results as JSON, with shorter errors where they would not fit. */
export function renderResults(results: readonly HostResult[]): string {
  const render = (longestError: number): string =>
    JSON.stringify(
      results.map((result) => ({
        name: result.name,
        target: result.target,
        configuration: result.configuration ?? null,
        status: result.status,
        phase: result.phase,
        "system-path": result.systemPath ?? null,
        "previous-system-path": result.previousSystemPath ?? null,
        generation: result.generation ?? null,
        "previous-generation": result.previousGeneration ?? null,
        changed: result.changed,
        "exit-code": result.exitCode ?? null,
        "failed-units": result.failedUnits,
        inhibitors: inhibitorsOf(result),
        seconds: result.seconds,
        error: result.error === undefined ? null : shorten(renderFailure(result.error), longestError),
      })),
    );
  for (let longestError = 10_000; ; longestError = Math.floor(longestError / 2)) {
    const text = render(longestError);
    if (text.length <= longestResults || longestError === 0) return text;
  }
}

/** Those that a plan foresees, or that have refused an activation. */
function inhibitorsOf({ plan, error }: HostResult): readonly string[] {
  return [...new Set([...(plan?.inhibitors ?? []), ...(error?.causes ?? []).flatMap((cause) => (cause.kind === "inhibitor" ? cause.changes : []))])];
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/** Sets every output. */
export function setOutputs(report: Report): void {
  for (const [name, value] of Object.entries(renderOutputs(report))) core.setOutput(name, value);
}

/** The status of a whole run. */
export function statusOf(results: readonly HostResult[], endedEarly: boolean): Status {
  const worst = worstStatus(results);
  // Hosts that a run has skipped because it ended early do not make it a success.
  return endedEarly && !isFailure(worst) ? "failed" : worst;
}
