import type { Amount } from "../domain/batches.js";
import type { Operation } from "../domain/operation.js";
import type { HostResult } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import type { Target } from "../domain/target.js";
import type { Limits } from "./ports.js";
import type { SystemSource } from "./system-source.js";

/** What one run does, the same for every host. */
export type RunSettings = {
  readonly operation: Operation;
  /** Where the new system of a machine comes from. Not there where the operation takes one that the machine has. */
  readonly systemOf: ((target: Target) => SystemSource) | undefined;
  /** Results of machines that belong to the run and cannot be worked on at all. */
  readonly unusable: readonly HostResult[];
  /** Returns whether the system that a machine has may be replaced; not there where any may. */
  readonly knowsProfile?: (target: Target, present: StorePath, signal: AbortSignal) => Promise<boolean>;
  readonly maxParallel: number;
  /** Seconds of work on one machine, without waiting for others; 0 is without limit. */
  readonly timeout: number;
  /** How many times connecting and copying are tried again. */
  readonly retries: number;
  readonly safety: Safety;
  readonly staging: Staging;
  /** The specialisation in which the machines end, and whether the boot loader itself is installed. */
  readonly variant: Variant;
  /** Show how the new system differs from the old one. */
  readonly diff: boolean;
  /** Aborted when the run is cancelled, or with a `NoFlakeError` where the flake could not be fetched. */
  readonly signal: AbortSignal;
};

/** Which part of a built system is activated, and how. */
export type Variant = {
  readonly specialisation: string | undefined;
  readonly installBootLoader: boolean;
};

/** What happens around an activation. */
export type Safety = {
  /** Roll back when the activation, the confirmation or the health check fails. */
  readonly rollback: boolean;
  readonly limits: Limits;
  /** A command for the machine's shell. */
  readonly healthCheck: string | undefined;
  /** What newly failed units mean. */
  readonly unitFailures: "fail" | "warn";
};

/** In which order hosts activate, and when that stops. */
export type Staging = {
  /** Sizes of the batches in which hosts activate. */
  readonly batches: readonly Amount[];
  /** Failed hosts after which no further batch begins. */
  readonly maxFailures: Amount;
  /** What to do with a host that is unreachable at the start. */
  readonly onUnreachable: "fail" | "skip";
};
