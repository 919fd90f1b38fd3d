import type { ClosureDifference } from "../domain/closure-difference.js";
import { attributeOf } from "../domain/configuration.js";
import { makeFailure, type Failure } from "../domain/failure.js";
import { changesMachine, changesSystemProfile, needsFlake, switchAction, type Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult, Status } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import { displayTarget, type Target } from "../domain/target.js";
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

/** What becomes of the machine when nobody looks after it any more. */
export function outlookOf({ before, arming, confirmed, undecided, toplevel, phase }: HostKnowledge, safety: Safety): string {
  const { rollback, limits } = safety;
  if (arming) return armedOutlook(safety);
  if (!undecided) return "Nothing has changed on the machine";
  const was = `before, it ran ${before?.running ?? "no system of the store"}; the new system is ${toplevel ?? "not known"}`;
  if (!rollback) return `The activation goes on on the machine, and rollback is false: it stays as it is (${was})`;
  const { activation, confirm, healthCheck, settle } = limits;
  if (confirmed) {
    return `If the machine has received the confirmation, it sets system profile and boot loader by itself, and keeps the old system where that fails; if not, it rolls back within ${confirm + healthCheck + settle} s (${was})`;
  }
  if (phase !== "activate") return `Without confirmation the machine goes back by itself, within ${confirm + healthCheck + settle} s (${was})`;
  return `Without confirmation the machine goes back by itself, ${confirm} s after the activation and ${activation} s after its start at the latest (${was})`;
}

/** Tells whether there is anything left to do with a system, and the status when there is not. */
export function settledBy({ toplevel, running }: ActivatableSystem, { state, unfinished }: MachineFacts, operation: Operation): Status | undefined {
  if (switchAction(operation) === undefined) return "planned";
  // What an earlier run has left must be finished or undone first.
  if (unfinished !== undefined) return undefined;
  if (!changesMachine(operation) || !needsFlake(operation)) return undefined;
  // The boot loader may lag behind the profile after a run that failed, so that a system counts as there only when it also runs.
  const boots = !changesSystemProfile(operation) || state.profile === toplevel;
  return boots && state.running === running ? "unchanged" : undefined;
}

/** A failure with what state the machine is in. */
export function withOutcome(failure: Failure, outcome: string): Failure {
  return makeFailure({ ...failure, outcome });
}

/** The host's result, with what is known now. */
export function resultOf(target: Target, known: HostKnowledge, { status, error }: Outcome, seconds: number, timeline: readonly PhaseSpan[]): HostResult {
  const { phase, configuration, before, after, failedUnits, toplevel, exitCode, compared, plan } = known;
  const now = after ?? before;
  const changed = after !== undefined && before !== undefined && (after.running !== before.running || after.profile !== before.profile);
  // A degraded host went on after what it complains of.
  const failed = status === "degraded" ? undefined : error;
  const code = failed === undefined ? exitCode : failed.exitCode;
  return {
    name: target.name,
    target: displayTarget(target),
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
    // Another run may have changed the system in between: then it is not the difference that was made.
    difference: compared?.running === before?.running ? compared?.difference : undefined,
    plan,
    error,
  };
}
