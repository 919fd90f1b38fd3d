import type { CopyProgress } from "../domain/copy-progress.js";
import type { ClosureDifference } from "../domain/closure-difference.js";
import type { SentFlake } from "../domain/flake.js";
import type { NixVersion } from "../domain/nix-version.js";
import type { Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import type { Target } from "../domain/target.js";
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
  readonly failedUnits: readonly string[];
  readonly rebootNeeded: boolean;
};

/** What a machine says of itself before anything is sent to it. */
export type MachineFacts = {
  readonly hostname: string;
  readonly nix: NixVersion;
  /** Kibibytes free for the store, where the machine can tell. */
  readonly freeKibibytes: number | undefined;
  /** Kibibytes of memory that programs can still take without swapping, where the machine can tell. */
  readonly memoryKibibytes: number | undefined;
  readonly state: SystemState;
  /** The system of the generation before the current one, if there is one. */
  readonly olderSystem: StorePath | undefined;
  /** The same whatever name the machine was reached by, and another one after a restart; `undefined` where it cannot tell. */
  readonly identity: string | undefined;
};

/** What nixos-rebuild is to be run with. */
export type Rebuild = {
  /** The flake in the machine's own store, without `#configuration`. */
  readonly reference: string;
  readonly configuration: string;
};

/** Seconds that the parts of an activation may take. */
export type Limits = {
  readonly activation: number;
  /** Until the machine is reached again over a fresh connection. */
  readonly confirm: number;
  readonly healthCheck: number;
  /** Until another run on the same machine has ended. */
  readonly lock: number;
};

export type Activation = {
  readonly operation: Operation;
  /** What to build; nothing where the previous generation is put back. */
  readonly rebuild: Rebuild | undefined;
  /** The machine goes back by itself unless it is confirmed. */
  readonly guarded: boolean;
  /** The machine is locked and armed, and the activation begins. */
  readonly onArmed: () => void;
  readonly limits: Limits;
};

/** How an activation ended. */
export type ActivationEnd = {
  readonly exitCode: number;
  /** What went wrong, where the exit code is not 0. */
  readonly failure: ActivationFailure | undefined;
  /** The last lines that nixos-rebuild printed. */
  readonly lines: readonly string[];
  /** The system when the activation began: other runs may have changed it since the machine was asked first. */
  readonly before: SystemState;
  readonly after: SystemState;
  /** What switch-to-configuration has said of units, where it came that far. */
  readonly plan: UnitPlan | undefined;
};

/** Why an activation failed: one sentence without its full stop, and what to do next. */
export type ActivationFailure = {
  /** `units`: the system was switched, but units failed. */
  readonly kind: "activation-script" | "units" | "reboot" | "inhibited" | "killed" | "no-space" | "other";
  readonly reason: string;
  readonly hint: string;
};

/**
 * What a machine answers that is reached again: its state; `late` when the watchdog goes back or has gone; `restarted` when it
 * has forgotten the run, and its watchdog with it.
 */
export type Reached = SystemState | "late" | "restarted";

/** How the way back ended. */
export type RollbackEnd = { readonly exitCode: number; readonly lines: readonly string[]; readonly state: SystemState };

/** What two systems of one machine differ in. */
export type SystemDifference = {
  readonly closure: ClosureDifference;
  /** As the unit files have it. */
  readonly units: UnitPlan | undefined;
};

/** One machine, as the deployment sees it. Every method throws a `DeployError` of its phase, or an abort's `CommandError`. */
export type Machine = {
  readonly target: Target;
  /** Connects, and asks all that must be known. Connects anew where the connection was lost. */
  connect(signal: AbortSignal): Promise<MachineFacts>;
  /** Sends the flake; it is safe from garbage collection until `release`. Returns what has travelled. */
  receive(flake: SentFlake, signal: AbortSignal): Promise<CopyProgress>;
  /** Builds the system, and changes nothing. Returns the toplevel. */
  build(rebuild: Rebuild, signal: AbortSignal): Promise<StorePath>;
  /** Compares two systems of its store. Never throws: `undefined` where they cannot be compared. */
  compare(before: StorePath, after: StorePath, signal: AbortSignal): Promise<SystemDifference | undefined>;
  /** Says what an activation would do; changes nothing. */
  rehearse(rebuild: Rebuild, signal: AbortSignal): Promise<Omit<ActivationEnd, "before">>;
  /** Waits for the machine's lock, arms the watchdog and activates. The exit code is told, not thrown. */
  activate(activation: Activation, signal: AbortSignal): Promise<ActivationEnd>;
  /** Reaches the machine over a fresh connection and gives the watchdog the time of a health check. */
  reach(signal: AbortSignal): Promise<Reached>;
  /** Runs a command as the deploy user until it succeeds. Returns what it printed last when it has not in that time. */
  checkHealth(command: string, seconds: number, signal: AbortSignal): Promise<string | undefined>;
  /** Decides for the new system. */
  keep(signal: AbortSignal): Promise<Reached>;
  /** Decides for the old system, unless the watchdog has, and goes back. */
  rollBack(signal: AbortSignal): Promise<RollbackEnd>;
  /** The last lines of the units' journals. Never throws. */
  journal(units: readonly string[], signal: AbortSignal): Promise<string[]>;
  /**
   * Ends what still runs on the machine for this run, as far as it may be ended (an activation may not), removes what the run
   * has left there, and closes the connection. Never throws.
   */
  release(): Promise<void>;
};

/** Where a host's progress goes. */
export type HostLog = {
  /** A phase begins. */
  phase(phase: Phase): void;
  /** The phase has ended well; `detail` says what came of it, in a few words. */
  ended(detail?: string): void;
  /** The copy has begun; `progress` tells at any time how far it has got. */
  copying(progress: () => CopyProgress): void;
  /** A line that the machine, or a command that works on it, has printed. */
  output(line: string): void;
  /** A line of the action itself. */
  note(text: string): void;
  warn(text: string): void;
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
