import type { ActivationCause } from "../domain/activation-cause.js";
import type { Failure } from "../domain/failure.js";
import { changesRunningSystem } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { Status } from "../domain/result.js";
import type { UnitPlan } from "../domain/unit-plan.js";
import type { ActivatableSystem, ArmedMachine, ConnectedMachine, HostLog, SystemState } from "./ports.js";
import type { RunSettings, Safety } from "./run-settings.js";
import type { Complaint } from "./verdict.js";

/** How it ended for a host. */
export type Outcome = { readonly status: Status; readonly error: Failure | undefined };

/** What an activation adds to what is known of a host, as it happens. */
export type ActivationKnowledge = {
  before: SystemState | undefined;
  after: SystemState | undefined;
  /** Units that have failed anew. */
  failedUnits: readonly string[];
  exitCode: number | undefined;
  plan: UnitPlan | undefined;
  /** The machine is about to be armed, and may be. */
  arming: boolean;
  /** It was told to keep the new system, or about to be; from then on it does the last step by itself. */
  confirmed: boolean;
  /** The machine is armed, and neither the new nor the old system was decided for: the one place that knows. */
  undecided: boolean;
};

export type SafeActivation = {
  readonly machine: ConnectedMachine;
  readonly system: ActivatableSystem;
  readonly settings: Pick<RunSettings, "operation" | "safety" | "variant">;
  readonly known: ActivationKnowledge;
  readonly signal: AbortSignal;
  readonly log: HostLog;
  readonly begin: (phase: Phase) => void;
  /** The phase has ended well. */
  readonly ended: () => void;
};

/** The activation of an armed machine. */
export type Guarded = SafeActivation & { readonly armed: ArmedMachine };

/** Why the new system is not to stay. */
export type Rejection = Complaint & {
  readonly phase: Phase;
  readonly lines: readonly string[];
  readonly causes?: readonly ActivationCause[];
  /** The machine has decided already. */
  readonly decided?: true;
  /** What is left to do, where that is no rollback. */
  readonly aftermath?: Aftermath;
};

/**
 * `refused`: switch-to-configuration changed nothing. `foreign`: the machine runs neither the old nor the new system. `restarted`: it
 * has booted since, and what it runs must be asked.
 */
export type Aftermath = "refused" | "foreign" | "restarted";

/** What a machine that is back at its old system is told to be. */
export const backAtOld = "The machine is back at its old system";

/** Tells whether the machine runs neither the old nor the new system, which nobody but somebody else has switched to. */
export function isForeign({ armed, system, settings }: Guarded, { running }: SystemState): boolean {
  return settings.safety.rollback && changesRunningSystem(settings.operation) && running !== system.running && running !== armed.before.running;
}

/** Why a machine that somebody else has switched is left alone. */
export function switchedByOthers({ running }: SystemState): Rejection {
  return {
    phase: "confirm",
    reason: `somebody else has switched the machine since: it runs ${running ?? "no system of the store"}, which is neither the old nor the new system`,
    hint: "Find out who did, then deploy again",
    lines: [],
    aftermath: "foreign",
  };
}

/** Why a machine that was not reached in time, or was restarted, is not to keep the system. */
export function notReached(how: "late" | "slow-login" | "restarted", { limits }: Safety): Rejection {
  switch (how) {
    case "restarted":
      return {
        phase: "confirm",
        reason: "the machine was restarted before it was confirmed",
        hint: "Look at its journal: `journalctl --boot -1`",
        lines: [],
        aftermath: "restarted",
      };
    case "slow-login":
      return {
        phase: "confirm",
        reason: `the machine answered in time, but the login over ssh took longer than confirm-timeout (${limits.confirm} s)`,
        hint: "Find out what makes the login slow, or raise confirm-timeout",
        lines: [],
        decided: true,
      };
    case "late":
      return {
        phase: "confirm",
        reason: `the machine was not reached again within confirm-timeout (${limits.confirm} s)`,
        hint: "Does the new system change network, firewall or sshd?",
        lines: [],
        decided: true,
      };
  }
}

/** What becomes of a machine whose connection was lost while it was armed. */
export function armedOutlook({ rollback, limits }: Safety): string {
  const end = rollback ? `its watchdog ends ${limits.activation} s later without changing anything` : "its lock ends within a minute";
  return `Nothing has changed on the machine. If it was armed before the run lost it, ${end}`;
}
