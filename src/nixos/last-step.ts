import type { ActivationCause } from "../domain/activation-cause.js";
import type { Undone } from "../deploy/ports.js";
import { SwitchOutputReader } from "./switch-output.js";

/** What the log of last.sh reports about a failed step. */
export type LastStepOutput = {
  /** Exit code of what failed. */
  readonly exitCode: number;
  readonly causes: readonly ActivationCause[];
  readonly undone: Undone;
};

/**
 * Parses the log of last.sh, whose two parts print the same messages:
 *
 *     Failed to install bootloader
 *     nix-flake-deploy: undoing profile and boot loader (exit code 1)
 *     nix-flake-deploy: undone 0 0 0
 */
export class LastStepReader {
  readonly #step = new SwitchOutputReader();
  readonly #undo = new SwitchOutputReader();
  #exitCode: number | undefined;
  #codes: readonly string[] = [];

  read(line: string): void {
    const failed = /^nix-flake-deploy: undoing profile and boot loader \(exit code (\d+)\)$/.exec(line)?.[1];
    if (failed !== undefined) this.#exitCode = Number(failed);
    const undone = /^nix-flake-deploy: undone (\d+) (\d+|-) (\d+|-)$/.exec(line);
    if (undone !== null) this.#codes = undone.slice(1);
    (this.#exitCode === undefined ? this.#step : this.#undo).read(line);
  }

  /** The result so far; what is missing has failed. */
  output(): LastStepOutput {
    const [profile, bootLoader, test = "-"] = this.#codes;
    return {
      exitCode: this.#exitCode ?? 1,
      causes: this.#step.causes(),
      undone: {
        profile: profile === "0",
        bootLoader: bootLoader === "0" || bootLoader === "-",
        test: test === "-" ? undefined : { exitCode: Number(test), causes: this.#undo.causes() },
      },
    };
  }
}
