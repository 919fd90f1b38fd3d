import type { ActivationCause } from "../domain/activation-cause.js";
import type { CopyProgress } from "../domain/copy-progress.js";
import type { ClosureDifference } from "../domain/closure-difference.js";
import type { SentFlake } from "../domain/flake.js";
import type { Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import type { Target } from "../domain/target.js";
import type { Topic } from "../domain/topic.js";
import type { UnitPlan } from "../domain/unit-plan.js";

/** What runs on a machine and what it boots. */
export type SystemState = {
  readonly running: StorePath | undefined;
  readonly booted: StorePath | undefined;
  /** What the system profile points to, that is what the machine boots next. */
  readonly profile: StorePath | undefined;
  readonly generation: number | undefined;
  /** Another one after every boot. */
  readonly bootId: string;
  /** Units in the state failed, and services that systemd restarts after an error. */
  readonly failedUnits: readonly string[];
  /** Services that systemd has restarted within the last minute, whatever their state. Known only of the state before an activation. */
  readonly restartingUnits: readonly string[];
  readonly rebootNeeded: boolean;
};

/** The facts that a machine reports before anything is sent to it. */
export type MachineFacts = {
  readonly hostname: string;
  /** What its Nix calls itself: `nix (Nix) 2.34.8`, `nix (Lix, like Nix) 2.95.3`. */
  readonly nix: string;
  /** Kibibytes free for the store, where known. */
  readonly freeKibibytes: number | undefined;
  /** Kibibytes of memory that programs can allocate without swapping, where known. */
  readonly memoryKibibytes: number | undefined;
  readonly state: SystemState;
  /** The generation before the current one, if there is one. */
  readonly olderGeneration: Generation | undefined;
  /** What an interrupted earlier run or switch has left unfinished, as a sentence without its full stop. */
  readonly unfinished: string | undefined;
  /** The specialisation of the machine's system that runs, if one does. */
  readonly specialisation: string | undefined;
  /** Identifies the machine whatever its name or address, until it restarts; `undefined` where unknown. */
  readonly identity: string | undefined;
};

/** A generation of the system profile. */
export type Generation = { readonly number: number; readonly toplevel: StorePath };

/** What nixos-rebuild is to be run with. */
export type Rebuild = {
  /** The flake in the machine's own store, without `#configuration`. */
  readonly reference: string;
  readonly configuration: string;
};

/** Store paths of the runner that a machine is to have. */
export type SentPaths = {
  /** With everything that they refer to. */
  readonly closures: readonly StorePath[];
  /** With everything that is needed to build them, and without what they build. */
  readonly derivations: readonly StorePath[];
};

/** Whether a machine has got a store path from its own binary caches, or what Nix printed where they do not have it. */
export type Download = { readonly kind: "downloaded"; readonly copied: CopyProgress } | { readonly kind: "unavailable"; readonly lines: readonly string[] };

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

/** How an activation, or its rehearsal, ended. */
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

/** How the rollback ended. */
export type RollbackEnd = {
  /** The machine runs neither the old nor the new system, and nothing was changed. */
  readonly foreign: boolean;
  readonly exitCode: number;
  readonly causes: readonly ActivationCause[];
  readonly lines: readonly string[];
  readonly state: SystemState;
};

/** What two systems of one machine differ in. */
export type SystemDifference = {
  readonly closure: ClosureDifference;
  /** As the unit files have it. */
  readonly units: UnitPlan | undefined;
};

/** One machine, as the deployment sees it. Every method throws a `DeployError` of its phase, or an abort's `CommandError`. */
export type Machine = {
  readonly target: Target;
  /** Connects, and queries the facts. Connects again where the connection was lost. */
  connect(signal: AbortSignal): Promise<ConnectedMachine>;
  /**
   * Ends what still runs on the machine for this run, as far as it may be ended (an activation may not), removes what the run
   * has left there, and closes the connection. What an undecided activation needs stays. Never throws.
   */
  release(activation: "undecided" | "decided"): Promise<void>;
};

/** What can be done with a machine that is connected. */
export type ConnectedMachine = {
  readonly facts: MachineFacts;
  /** Sends the flake; it is safe from garbage collection until `release`. Returns what has travelled. */
  copyFlake(flake: SentFlake, signal: AbortSignal): Promise<CopyProgress>;
  /** Sends store paths of the runner; they are safe from garbage collection until `release`. Returns what has travelled. */
  copyPaths(paths: SentPaths, signal: AbortSignal): Promise<CopyProgress>;
  /** Downloads a store path with what it refers to from the machine's own binary caches; it is safe from garbage collection until `release`. */
  download(path: StorePath, signal: AbortSignal): Promise<Download>;
  /** Throws a `DeployError` of the phase copy for a path of the machine's store that is no NixOS system. */
  requireSystem(path: StorePath, signal: AbortSignal): Promise<void>;
  /** Builds the system, and changes nothing. Returns the toplevel. */
  build(rebuild: Rebuild, signal: AbortSignal): Promise<StorePath>;
  /** Builds or downloads what a derivation of its store stands for: the system of that configuration. Returns the toplevel. */
  realise(derivation: StorePath, configuration: string, signal: AbortSignal): Promise<StorePath>;
  /** Finds a specialisation of a system. Throws a `DeployError` of the phase build that lists those there are. */
  findSpecialisation(toplevel: StorePath, name: string, signal: AbortSignal): Promise<StorePath>;
  /** Compares two systems of its store. Never throws: `undefined` where they cannot be compared. */
  compare(before: StorePath, after: StorePath, signal: AbortSignal): Promise<SystemDifference | undefined>;
  /** Says what an activation would do; changes nothing. */
  dryActivate(system: ActivatableSystem, signal: AbortSignal): Promise<ActivationEnd>;
  /** Waits for the machine's lock and arms the watchdog. */
  arm(activation: Activation, signal: AbortSignal): Promise<ArmedMachine>;
};

/** What can be done with a machine that is locked and whose watchdog is armed. */
export type ArmedMachine = {
  /** The system when the machine was armed: other runs may have changed it since the machine was asked first. */
  readonly before: SystemState;
  /** KiB that are free on /boot and that the new system's kernel and initrd need, where it has too little room for them. */
  readonly scarceBoot: { readonly free: number; readonly needed: number } | undefined;
  /** Activates the system, once. The exit code is returned, not thrown. */
  activate(signal: AbortSignal): Promise<ActivationEnd>;
  /** Reaches the machine over a fresh connection and gives the watchdog the time of settling and health check. */
  reach(signal: AbortSignal): Promise<Reached>;
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

/** Where a host's progress goes. */
export type HostLog = {
  /** A phase begins. */
  phase(phase: Phase): void;
  /** The phase has succeeded; `detail` is its result in a few words. */
  ended(detail?: string): void;
  /** The copy has started; `progress` returns its current state. */
  copying(progress: () => CopyProgress): void;
  /** A line that the machine, or a command that works on it, has printed. */
  output(line: string): void;
  /** A line of the action itself. */
  note(text: string, topic?: Topic): void;
  warn(text: string, topic?: Topic): void;
};

/** Where the progress of the whole run goes. */
export type RunLog = {
  /** The work on that many hosts begins. */
  begin(hosts: number): void;
  host(target: Target): HostLog;
  /** One of several batches of activations begins. */
  batch(number: number, batches: number, names: readonly string[]): void;
  /** A host is done. */
  done(result: HostResult): void;
  /** The work on all hosts has ended. */
  end(): void;
};
