import type { CopyProgress } from "../../domain/copy-progress.js";
import type { SentFlake } from "../../domain/flake.js";
import type { StorePath } from "../../domain/store-path.js";
import type { Target } from "../../domain/target.js";
import type { ActivatableSystem, Activation, ActivationEnd, ArmedMachine } from "./activation.js";
import type { MachineFacts } from "./state.js";
import type { Download, Rebuild, SentPaths, SystemDifference } from "./system.js";

/** One machine, as the deployment sees it. Every method throws a `DeployError` of its phase, or an abort's `CommandError`. */
export type Machine = {
  readonly target: Target;
  /** Connects, and queries the facts. Connects again where the connection was lost. `next` returns the flake that is to be sent if it is known: it may be sent at once. */
  connect(signal: AbortSignal, next?: () => SentFlake | undefined): Promise<ConnectedMachine>;
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
  /** Compares two systems of its store, `withUnits` also what a switch would do to units. Never throws: `undefined` where they cannot be compared. */
  compare(before: StorePath, after: StorePath, withUnits: boolean, signal: AbortSignal): Promise<SystemDifference | undefined>;
  /** Says what an activation would do; changes nothing. */
  dryActivate(system: ActivatableSystem, signal: AbortSignal): Promise<ActivationEnd>;
  /** Frees what only makes the next step faster. For a machine that waits while many others do. */
  rest(): void;
  /** Waits for the machine's lock and arms the watchdog. */
  arm(activation: Activation, signal: AbortSignal): Promise<ArmedMachine>;
};
