import type { StorePath } from "../../domain/store-path.js";

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
