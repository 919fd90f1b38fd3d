import type { ClosureDifference } from "../domain/closure-difference.js";
import { attributeOf } from "../domain/configuration.js";
import { makeFailure, type Failure } from "../domain/failure.js";
import { changesMachine, changesSystemProfile, needsFlake, switchAction, type Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult, Status } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import { renderTarget, type Target } from "../domain/target.js";
import type { PhaseSpan } from "../domain/timeline.js";
import type { ActivatableSystem, MachineFacts } from "./ports.js";
import type { Safety } from "./run-settings.js";
import { armedOutlook, type ActivationKnowledge, type Outcome } from "./guarded.js";

/** What is known of a host so far. */
export type HostKnowledge = ActivationKnowledge & {
  phase: Phase;
  configuration: string | undefined;
  toplevel: StorePath | undefined;
  compared: { readonly running: StorePath; readonly difference: ClosureDifference } | undefined;
  /** The flake has arrived on the machine. */
  arrived: boolean;
};

/** What is known of a host before it is connected to. */
export function knownAtFirst({ configuration }: Target): HostKnowledge {
  return {
    phase: "connect",
    configuration: attributeOf(configuration),
    before: undefined,
    after: undefined,
    failedUnits: [],
    toplevel: undefined,
    compared: undefined,
    plan: undefined,
    exitCode: undefined,
    arrived: false,
    arming: false,
    confirmed: false,
    undecided: false,
  };
}

/** What happens to the machine if the run ends now. */
export function outlookOf({ before, arming, confirmed, undecided, toplevel, phase }: HostKnowledge, safety: Safety): string {
  const { rollback, limits } = safety;
  if (arming) return armedOutlook(safety);
  if (!undecided) return "Nothing has changed on the machine";
  const was = `old system: ${before?.running ?? "not in the store"}; new system: ${toplevel ?? "unknown"}`;
  if (!rollback) return `The activation is still running on the machine and is not rolled back, since rollback is false (${was})`;
  const { activation, confirm, healthCheck, settle } = limits;
  if (confirmed) {
    return `If the machine received the confirmation, it sets system profile and boot loader on its own, and rolls back if that fails; otherwise it rolls back within ${confirm + healthCheck + settle} s (${was})`;
  }
  if (phase !== "activate") return `Without confirmation the machine rolls back on its own within ${confirm + healthCheck + settle} s (${was})`;
  return `Without confirmation the machine rolls back on its own, ${confirm} s after the activation ends or, if it does not end, ${activation} s after it started (${was})`;
}

/** Returns the status of a host that needs no activation; `undefined` where it needs one. */
export function settledBy({ toplevel, running }: ActivatableSystem, { state, unfinished }: MachineFacts, operation: Operation): Status | undefined {
  if (switchAction(operation) === undefined) return "planned";
  // An interrupted earlier run must be finished or undone first.
  if (unfinished !== undefined) return undefined;
  if (!changesMachine(operation) || !needsFlake(operation)) return undefined;
  // After a failed run the boot loader may lag behind the profile, so a system counts as deployed only when it also runs.
  const boots = !changesSystemProfile(operation) || state.profile === toplevel;
  return boots && state.running === running ? "unchanged" : undefined;
}

/** Adds the state of the machine to a failure. */
export function withOutcome(failure: Failure, outcome: string): Failure {
  return makeFailure({ ...failure, outcome });
}

/** The host's result, with what is known now. */
export function resultOf(target: Target, known: HostKnowledge, { status, error }: Outcome, seconds: number, timeline: readonly PhaseSpan[]): HostResult {
  const { phase, configuration, before, after, failedUnits, toplevel, exitCode, compared, plan } = known;
  const now = after ?? before;
  const changed = after !== undefined && before !== undefined && (after.running !== before.running || after.profile !== before.profile);
  // A degraded host continued after its failure.
  const failed = status === "degraded" ? undefined : error;
  const code = failed === undefined ? exitCode : failed.exitCode;
  return {
    name: target.name,
    target: renderTarget(target),
    configuration,
    status,
    phase: failed?.phase ?? phase,
    systemPath: toplevel,
    previousSystemPath: before?.running ?? before?.profile,
    generation: now?.generation,
    previousGeneration: before?.generation,
    changed,
    exitCode: code ?? (error === undefined ? 0 : undefined),
    failedUnits,
    seconds,
    timeline,
    // If another run has changed the system in between, the comparison does not apply.
    difference: compared?.running === before?.running ? compared?.difference : undefined,
    plan,
    error,
  };
}
