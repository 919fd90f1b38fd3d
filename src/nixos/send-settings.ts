import type { Compress } from "../domain/compress.js";
import type { Pack } from "../nix/pack.js";
import type { StartGate } from "../process/start-gate.js";

/** How store paths travel to the machines of one run. */
export type SendSettings = {
  /** The run, as the machine has it. */
  readonly run: string;
  readonly checkSignatures: boolean;
  /** Whether the machine downloads from its own binary caches what they have of a system that is sent. */
  readonly substitute: boolean;
  readonly archiveArgs: readonly string[];
  readonly compress: Compress;
  /** Store paths, packed for all machines of the run. */
  readonly pack: Pack;
  /** What Nix waits at before it sends to one of them. */
  readonly starts: StartGate;
};
