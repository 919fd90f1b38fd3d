import type { ActivationCause } from "../../domain/activation-cause.js";
import type { Operation } from "../../domain/operation.js";
import type { StorePath } from "../../domain/store-path.js";
import type { UnitPlan } from "../../domain/unit-plan.js";
import type { SystemState } from "./state.js";

/** Seconds that the parts of an activation may take. */
export type Limits = {
  readonly activation: number;
  /** Until the machine is reached again over a fresh connection. */
  readonly confirm: number;
  /** In which a unit that was started must not fail. */
  readonly settle: number;
  readonly healthCheck: number;
  /** Until another run on the same machine has ended. */
  readonly lock: number;
};

/** A system of the machine's store that can be activated. */
export type ActivatableSystem = {
  /** What the system profile and the boot loader get. */
  readonly toplevel: StorePath;
  /** What runs afterwards: the toplevel, or one of its specialisations. */
  readonly running: StorePath;
  /** Where it is a generation already. */
  readonly generation: number | undefined;
};

export type Activation = {
  readonly operation: Operation;
  readonly system: ActivatableSystem;
  /** Install the boot loader itself, not only its entries. */
  readonly installBootLoader: boolean;
  /** The machine rolls back on its own unless the new system is confirmed. */
  readonly guarded: boolean;
  readonly limits: Limits;
};

/** How an activation, or its dry run, ended. */
export type ActivationEnd = {
  readonly exitCode: number;
  /** Whether switch-to-configuration came to its end; `restarted`: the machine was restarted meanwhile. */
  readonly end: "ended" | "killed" | "restarted" | "not-started";
  /** What it named as having gone wrong. */
  readonly causes: readonly ActivationCause[];
  /** It has stopped units or started to activate; before that, nothing was changed. */
  readonly touched: boolean;
  /** The last lines that it printed. */
  readonly lines: readonly string[];
  readonly after: SystemState;
  /** What it reported about units, where it came that far. */
  readonly plan: UnitPlan | undefined;
};

/**
 * What a machine answers that is reached again: its state; `late` when the watchdog rolls back or has rolled back; `slow-login` when
 * it has although ssh answered in time, because the login took too long; `restarted` when it has forgotten the run, and its watchdog with it.
 */
export type Reached = SystemState | "late" | "slow-login" | "restarted";

/** Whether profile, boot loader and running system were restored. */
export type Undone = {
  readonly profile: boolean;
  readonly bootLoader: boolean;
  /** The old system's test; `undefined` where it was not run. */
  readonly test: { readonly exitCode: number; readonly causes: readonly ActivationCause[] } | undefined;
};

/**
 * How the last step ended, which sets system profile and boot loader to a confirmed system. `foreign`: the machine runs another system
 * than the new one, and nothing was changed.
 */
export type LastStep =
  | { readonly kind: "done"; readonly state: SystemState }
  | { readonly kind: "foreign"; readonly state: SystemState }
  | {
      readonly kind: "failed";
      readonly exitCode: number;
      readonly causes: readonly ActivationCause[];
      readonly lines: readonly string[];
      readonly undone: Undone;
      readonly state: SystemState;
    };

/**
 * What becomes of a system that is to be confirmed: the machine kept it and did the last step, or something speaks against it, and nothing
 * was decided; else as `Reached`.
 */
export type Confirmed = { readonly kind: "undecided"; readonly state: SystemState } | LastStep | Exclude<Reached, SystemState>;

/** How the rollback ended. */
export type RollbackEnd = {
  /** The machine runs neither the old nor the new system, and nothing was changed. */
  readonly foreign: boolean;
  readonly exitCode: number;
  readonly causes: readonly ActivationCause[];
  readonly lines: readonly string[];
  readonly state: SystemState;
};

/** What can be done with a machine that is locked and whose watchdog is armed. */
export type ArmedMachine = {
  /** The system when the machine was armed: other runs may have changed it since the machine was asked first. */
  readonly before: SystemState;
  /** KiB that are free on /boot and that the new system's kernel and initrd need, where it has too little room for them. */
  readonly scarceBoot: { readonly free: number; readonly needed: number } | undefined;
  /** Activates the system, once. The exit code is returned, not thrown. */
  activate(signal: AbortSignal): Promise<ActivationEnd>;
  /**
   * Reaches the machine over a fresh connection. Unless the decision follows well within confirm-timeout, the watchdog gets the time of
   * settling and health check: `checkSeconds` is what they take at most, unlimited by default.
   */
  reach(signal: AbortSignal, checkSeconds?: number): Promise<Reached>;
  /**
   * Reaches the machine over a fresh connection, and has it decide for the new system and do the last step, unless another system runs or
   * other units have failed than before the activation and these. `asked` is called when the machine may decide from then on.
   */
  confirm(failedUnits: readonly string[], asked: () => void, signal: AbortSignal): Promise<Confirmed>;
  /** Waits until the settle time since the activation is over. Returns the state then, with units that were restarted in it as failed. */
  settle(signal: AbortSignal): Promise<Reached>;
  /** Runs a command as the deploy user until it succeeds. Returns what it printed last when it has not in that time. */
  checkHealth(command: string, seconds: number, signal: AbortSignal): Promise<string | undefined>;
  /** Decides for the new system, and has the machine do the last step, where there is one. */
  keep(signal: AbortSignal): Promise<LastStep | "late" | "restarted">;
  /** Decides for the old system, unless the watchdog has, and rolls back. */
  rollBack(signal: AbortSignal): Promise<RollbackEnd | "restarted">;
  /** Decides that nothing is changed any more. Returns the state of the machine. */
  drop(signal: AbortSignal): Promise<Reached>;
  /** Queries a restarted machine for what it runs; finishes or undoes an unfinished last step first. */
  afterRestart(signal: AbortSignal): Promise<SystemState>;
  /** The last lines of the units' journals. Never throws. */
  journal(units: readonly string[], signal: AbortSignal): Promise<string[]>;
};
