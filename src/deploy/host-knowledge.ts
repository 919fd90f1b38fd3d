import type { ClosureDifference } from "../domain/closure-difference.js";
import { DeployError } from "../domain/errors.js";
import { changesMachine, type Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult, Status } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import { displayTarget, type Target } from "../domain/target.js";
import type { PhaseSpan } from "../domain/timeline.js";
import type { Rebuild } from "./ports.js";
import type { Safety } from "./run-settings.js";
import type { ActivationKnowledge, Outcome } from "./safe-activation.js";

/** What is known of a host so far. */
export type HostKnowledge = ActivationKnowledge & {
  phase: Phase;
  configuration: string | undefined;
  rebuild: Rebuild | undefined;
  toplevel: StorePath | undefined;
  compared: { readonly running: StorePath; readonly difference: ClosureDifference } | undefined;
  /** The flake has arrived on the machine. */
  arrived: boolean;
  /** An activation has begun, and nobody knows how it ended. */
  activating: boolean;
};

/** What is known of a host before it is connected to. */
export function knownAtFirst({ configuration }: Target): HostKnowledge {
  return {
    phase: "connect",
    configuration,
    rebuild: undefined,
    before: undefined,
    after: undefined,
    newlyFailedUnits: [],
    toplevel: undefined,
    compared: undefined,
    plan: undefined,
    exitCode: undefined,
    arrived: false,
    activating: false,
  };
}

/** What becomes of the machine when nobody looks after it any more. */
export function prospectOf({ before, activating, toplevel, phase }: HostKnowledge, { rollback, limits }: Safety): string {
  if (!activating) return "Nothing has changed on the machine";
  const was = `before, it ran ${before?.running ?? "no system of the store"}; the new system is ${toplevel ?? "not known"}`;
  if (!rollback) return `The activation goes on on the machine, and rollback is false: it stays as it is (${was})`;
  const { activation, confirm, healthCheck } = limits;
  if (phase !== "activate") return `Without confirmation the machine goes back by itself, within ${confirm + healthCheck} s (${was})`;
  return `Without confirmation the machine goes back by itself, ${confirm} s after the activation and ${activation} s after its start at the latest (${was})`;
}

/** Tells whether there is anything left to do after the build, and the status when there is not. */
export function settledBy({ before, toplevel, rebuild }: HostKnowledge, operation: Operation): Status | undefined {
  if (operation === "build") return "planned";
  if (!changesMachine(operation) || rebuild === undefined || before === undefined || toplevel === undefined) return undefined;
  // The boot loader may lag behind the profile after a run that failed, so that a system counts as there only when it also runs.
  const boots = operation === "test" || before.profile === toplevel;
  return boots && before.running === toplevel ? "unchanged" : undefined;
}

/** The host's result, with what is known now. */
export function resultOf(target: Target, known: HostKnowledge, { status, error }: Outcome, seconds: number, timeline: readonly PhaseSpan[]): HostResult {
  const { phase, configuration, before, after, newlyFailedUnits, toplevel, exitCode, compared, plan } = known;
  const now = after ?? before;
  const changed = after !== undefined && before !== undefined && (after.running !== before.running || after.profile !== before.profile);
  const code = error instanceof DeployError ? error.exitCode : exitCode;
  return {
    name: target.name,
    target: displayTarget(target),
    configuration,
    status,
    phase: error instanceof DeployError ? error.phase : phase,
    systemPath: toplevel,
    previousSystemPath: before?.running ?? before?.profile,
    generation: now?.generation,
    previousGeneration: before?.generation,
    changed,
    exitCode: code ?? (error === undefined ? 0 : undefined),
    failedUnits: newlyFailedUnits,
    seconds,
    timeline,
    // Another run may have changed the system in between: then it is not the difference that was made.
    difference: compared?.running === before?.running ? compared?.difference : undefined,
    plan,
    error: error?.message,
  };
}
