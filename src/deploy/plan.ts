import type { Flake } from "../domain/flake.js";
import type { Operation } from "../domain/operation.js";

/** What one run does, the same for every host. */
export type Plan = {
  readonly operation: Operation;
  /** The flake once it is known; it is archived while the machines are being connected. */
  readonly flake: Promise<Flake>;
  readonly maxParallel: number;
  /** Seconds of work on one machine, without waiting for others; 0 is without limit. */
  readonly timeout: number;
  /** How many times connecting and copying are tried again. */
  readonly retries: number;
  /** Aborted when the run is cancelled. */
  readonly signal: AbortSignal;
};
