import { renderBytes } from "../domain/bytes.js";
import { DeployError, type CommandError } from "../domain/errors.js";
import type { Phase } from "../domain/phase.js";

/** Explains a script that we have ended; `undefined` for an abort, and for one that ended by itself. */
export function explainLimit(error: CommandError, phase: Phase): DeployError | undefined {
  const parts = { phase, exitCode: 255, cause: error } as const;
  const { failure } = error;
  const hint = "Log in to the machine and look at its load, its memory and its journal";
  switch (failure.kind) {
    case "timeout":
      return new DeployError({ ...parts, reason: `the machine is connected, but has not answered within ${failure.seconds} s`, hint, unreachable: true });
    case "silent":
      return new DeployError({ ...parts, reason: `the machine is connected, but has given no sign of life for ${failure.seconds} s`, hint, unreachable: true });
    case "output":
      return new DeployError({
        ...parts,
        reason: `the machine has printed more than ${renderBytes(failure.bytes)} where a short answer was expected`,
        hint: undefined,
      });
    case "exit":
    case "signal":
    case "aborted":
    case "spawn":
      return undefined;
  }
}
