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
  /** Units that newly failed. */
  failedUnits: readonly string[];
  exitCode: number | undefined;
  plan: UnitPlan | undefined;
  /** The machine is about to be armed, and may be. */
  arming: boolean;
  /** The new system was confirmed, or is about to be; from then on the machine does the last step on its own. */
  confirmed: boolean;
  /** The machine is armed, and neither the new nor the old system was chosen. Kept only here. */
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

/** Why the new system is rejected. */
export type Rejection = Complaint & {
  readonly phase: Phase;
  readonly lines: readonly string[];
  readonly causes?: readonly ActivationCause[];
  /** The machine has decided already. */
  readonly decided?: true;
  /** What to do instead of a rollback. */
  readonly aftermath?: Aftermath;
};

/**
 * `refused`: switch-to-configuration changed nothing. `foreign`: the machine runs neither the old nor the new system. `restarted`: it
 * has booted since, and what it runs must be asked.
 */
export type Aftermath = "refused" | "foreign" | "restarted";

/** The outcome of a machine that was rolled back. */
export const rolledBack = "The machine was rolled back to its old system";

/** Returns whether the machine runs neither the old nor the new system, so that someone else must have switched it. */
export function isForeign({ armed, system, settings }: Guarded, { running }: SystemState): boolean {
  return settings.safety.rollback && changesRunningSystem(settings.operation) && running !== system.running && running !== armed.before.running;
}

/** Why a machine that someone else has switched is not changed. */
export function switchedByOthers({ running }: SystemState): Rejection {
  return {
    phase: "confirm",
    reason: `the machine was switched by someone else: it runs ${running ?? "no system of the store"}, which is neither the old nor the new system`,
    hint: "Find out who switched it, then deploy again",
    topic: "other-system",
    lines: [],
    aftermath: "foreign",
  };
}

/** Why a machine that was not reached in time, or was restarted, does not keep the system. */
export function notReached(how: "late" | "slow-login" | "restarted", { limits }: Safety): Rejection {
  switch (how) {
    case "restarted":
      return {
        phase: "confirm",
        reason: "the machine was restarted before the new system was confirmed",
        hint: "Check its journal: `journalctl --boot -1`",
        topic: "restarted",
        lines: [],
        aftermath: "restarted",
      };
    case "slow-login":
      return {
        phase: "confirm",
        reason: `the machine answered in time, but the login over ssh took longer than confirm-timeout (${limits.confirm} s)`,
        hint: "Find out why logins are slow, or raise confirm-timeout",
        topic: "slow-login",
        lines: [],
        decided: true,
      };
    case "late":
      return {
        phase: "confirm",
        reason: `the machine could not be reached within confirm-timeout (${limits.confirm} s) after the activation`,
        hint: "Check whether the new system changes the settings of the network, the firewall or sshd",
        topic: "not-reached",
        lines: [],
        decided: true,
      };
  }
}

/** What happens to a machine whose connection was lost while it was being armed. */
export function armedOutlook({ rollback, limits }: Safety): string {
  const end = rollback ? `its watchdog stops after ${limits.activation} s without changing anything` : "its lock is released within a minute";
  return `Nothing has changed on the machine. If it was already locked when the connection was lost, ${end}`;
}
