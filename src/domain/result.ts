import type { ClosureDifference } from "./closure-difference.js";
import type { Failure } from "./failure.js";
import type { Phase } from "./phase.js";
import type { StorePath } from "./store-path.js";
import type { PhaseSpan } from "./timeline.js";
import type { UnitPlan } from "./unit-plan.js";

/** The result of one machine, from best to worst. */
export const statuses = ["unchanged", "planned", "deployed", "skipped", "degraded", "rolled-back", "failed", "unknown", "rollback-failed"] as const;

export type Status = (typeof statuses)[number];

export type HostResult = {
  readonly name: string;
  /** `user@host[:port]` */
  readonly target: string;
  readonly configuration: string | undefined;
  readonly status: Status;
  /** The last phase that was begun. */
  readonly phase: Phase;
  readonly systemPath: StorePath | undefined;
  readonly previousSystemPath: StorePath | undefined;
  /** Number of the system profile's generation after the run. */
  readonly generation: number | undefined;
  /** The same before the run. */
  readonly previousGeneration: number | undefined;
  readonly changed: boolean;
  readonly exitCode: number | undefined;
  readonly failedUnits: readonly string[];
  /** Seconds of work on the machine, without waiting for others. */
  readonly seconds: number;
  /** The phases in the order in which they began. */
  readonly timeline: readonly PhaseSpan[];
  /** How the new system differs from the one that ran before; `undefined` where that was not requested, or they are the same. */
  readonly difference: ClosureDifference | undefined;
  readonly plan: UnitPlan | undefined;
  /** Why it failed, was skipped, or is degraded. */
  readonly error: Failure | undefined;
};

/** The worst status of all, `unchanged` when there is none. */
export function worstStatus(results: readonly HostResult[]): Status {
  const worst = Math.max(0, ...results.map((result) => statuses.indexOf(result.status)));
  return statuses[worst] ?? "unchanged";
}

/** Returns whether the machine did not reach the requested state. */
export function isFailure(status: Status): boolean {
  switch (status) {
    case "unchanged":
    case "planned":
    case "deployed":
    case "skipped":
    // Failed units with `unit-failures: warn`, or a failed user activation.
    case "degraded":
      return false;
    case "rolled-back":
    case "failed":
    case "unknown":
    case "rollback-failed":
      return true;
  }
}
